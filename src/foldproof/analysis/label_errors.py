"""Suggest images whose label is probably wrong, the surest first, from out-of-fold predictions. Pure.

Confident learning (Northcutt, Jiang & Chuang, JAIR 2021), pruned by noise rate. What a class usually gets of its own
images is its threshold. An image counts for the most probable of the classes whose threshold it reaches; how often
images of one label count for another class estimates how many labels are wrong that way. That many images of the label,
those with the widest margin between the two, are suggested, unless their label is the most probable class after all.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.events.fold_id import FoldId

FILE_NAME = "label-errors.csv"
COLUMNS = ("path", "sha256", "label", "suggested", "own_probability", "suggested_probability", "run")
# What a terminal obeys, and what turns the direction of a text: spelled out. Joiners are letters of some languages.
_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BEGINS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, kw_only=True)
class LabelError:
    """An image whose label is probably wrong. Probabilities are means over repeats, by models that had not seen it.

    `fold_id`: the first of its folds.
    """

    path: str
    sha256: str
    group: str
    label: str
    suggested: str
    own_probability: float
    suggested_probability: float
    fold_id: FoldId


def find_label_errors(table: OutOfFold) -> tuple[LabelError, ...]:
    """The images of `table` whose label is probably wrong, widest margin first; rows that are no numbers are left out.

    No image is suggested of a class, or for a class, that has no images.
    """
    table = table.take(np.flatnonzero(np.isfinite(table.probabilities).all(axis=1)))
    if not len(table):
        return ()
    _, first, image = np.unique(table.paths, return_index=True, return_inverse=True)
    image = image.reshape(-1)
    labels = table.labels[first]
    sums = np.zeros((len(first), len(table.classes)))
    np.add.at(sums, image, table.probabilities)
    means = sums / np.bincount(image)[:, None]  # [image, class]
    best = means.argmax(axis=1)
    found = np.flatnonzero(suggested(means, labels))
    margins = means[found, best[found]] - means[found, labels[found]]
    return tuple(
        LabelError(
            path=str(table.paths[row]),
            sha256=str(table.sha256[row]),
            group=str(table.groups[row]),
            label=table.classes[labels[one]],
            suggested=table.classes[best[one]],
            own_probability=float(means[one, labels[one]]),
            suggested_probability=float(means[one, best[one]]),
            fold_id=FoldId(int(table.repeats[row]), int(table.folds[row])),
        )
        for one in found[np.argsort(-margins, kind="stable")]
        for row in [first[one]]
    )


def suggested(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the most probable class is suggested instead of the label.  # [image, class], [image] -> [image]"""
    expected = wrong_labels(probabilities, labels)
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for label in np.unique(labels):
        images = np.flatnonzero(labels == label)
        for other in np.flatnonzero(expected[label]):
            if other != label:
                margins = probabilities[images, other] - probabilities[images, label]
                chosen[images[np.argsort(-margins, kind="stable")[: expected[label, other]]]] = True
    chosen &= probabilities.argmax(axis=1) != labels
    return chosen


def wrong_labels(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many images of each label are expected to be of each other class.  # [image, class] -> [label, class]"""
    classes = probabilities.shape[1]
    count = np.bincount(labels, minlength=classes)
    own = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=classes)
    threshold = np.divide(own, count, out=np.full(classes, np.inf), where=count > 0)
    reached = np.where(probabilities >= threshold, probabilities, -1.0)
    counts = reached.max(axis=1) >= 0
    joint = np.zeros((classes, classes))
    np.add.at(joint, (labels[counts], reached.argmax(axis=1)[counts]), 1)
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), count > 0))  # some label of a class is right
    counted = joint.sum(axis=1, keepdims=True)
    share = np.divide(joint, counted, out=np.zeros_like(joint), where=counted > 0)
    expected: NDArray[np.int64] = np.rint(share * count[:, None]).astype(np.int64)
    return expected


def to_csv(errors: Mapping[str, Iterable[LabelError]]) -> str:
    """The content of label-errors.csv, from the errors of each run: suggestions for a person to look at; nothing reads
    it and nothing is changed.

    No cell begins a formula when a spreadsheet opens the file: a path is then written `./=a/b.png`, which is the same
    file, and a class name has an apostrophe put before it. The content hash names the image in any case.
    """
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(COLUMNS)
    writer.writerows(
        (
            _harmless(one.path, "./"),
            one.sha256,
            _harmless(one.label, "'"),
            _harmless(one.suggested, "'"),
            round(one.own_probability, 4),
            round(one.suggested_probability, 4),
            run,
        )
        for run, found in errors.items()
        for one in found
    )
    return made.getvalue()


def _harmless(cell: str, before: str) -> str:
    shown = _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), cell)
    return before + shown if cell.startswith(_BEGINS_A_FORMULA) else shown
