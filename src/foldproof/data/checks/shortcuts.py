"""Find classes that can be told by file traits, such as size or format, without looking at the picture. Pure.

A network that can tell cats from dogs by the camera, the file format or the lamp will, and fails on the next photo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
MOST_IMAGES = 20_000
CLEAR_P = 0.01

Codes: TypeAlias = NDArray[np.int64]  # [image] a number for each distinct value
Table: TypeAlias = NDArray[np.float64]  # [image, column]

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "file format": "by the file's format",
        "pixel size": "by width and height",
        "file size": "by the number of bytes",
        "camera": "by the camera that the file names",
        "mean colour": "by the picture's mean colour",
    }
)
LEAST_APART: Mapping[str, float] = MappingProxyType(
    {"file format": 0.5, "pixel size": 0.5, "file size": 0.8, "camera": 0.5, "mean colour": 0.8}
)


@dataclass(frozen=True)
class FileTraits:
    """One row an image, in manifest order. Sizes in pixels and bytes; `format` and `camera` are "" where unknown."""

    format: Sequence[str]
    camera: Sequence[str]
    width: NDArray[np.int64]
    height: NDArray[np.int64]
    file_bytes: NDArray[np.int64]
    colour: NDArray[np.float64]  # [image, 3] mean red, green, blue, 0..255


@dataclass(frozen=True)
class Shortcut:
    """How well one trait alone tells the classes apart, of images whose mates were not learned from.

    `score`: balanced accuracy; `chance`: what always saying the same class reaches. `label`: the number of the class
    that is told from the rest best; `recall`: the part of it that is taken for it, `mistaken`: the part of the rest.
    `p`: how likely noise would do as well, for all traits and classes together. `clear`: see `probe_shortcuts`.
    """

    trait: str
    score: float
    chance: float
    label: int
    recall: float
    mistaken: float
    p: float
    clear: bool
    images: int

    @property
    def apart(self) -> float:
        """How much more often the class is taken for itself than others are for it: -1..1, about 0 for noise."""
        return self.recall - self.mistaken

    def text(self, classes: Sequence[str]) -> str:
        """One line for a person."""
        return (
            f"'{classes[self.label]}' can be told {MEANINGS[self.trait]} alone: "
            f"that fits {self.recall:.0%} of its images and {self.mistaken:.0%} of the others"
        )

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        return {
            "trait": self.trait,
            "balanced_accuracy": self.score,
            "chance": self.chance,
            "class": classes[self.label],
            "recall": self.recall,
            "mistaken": self.mistaken,
            "p": self.p,
            "clear": self.clear,
            "images": self.images,
        }


def probe_shortcuts(traits: FileTraits, labels: NDArray[np.int64], units: NDArray[np.int64]) -> tuple[Shortcut, ...]:
    """A finding for every trait with more than one value; none where there is one class.

    `labels`: class numbers 0..; `units`: images with one number (groups, duplicates) are never separated. Of more
    than 20,000 images, 20,000 evenly over the manifest, which is ordered by content hash, are looked at.

    A trait is `clear` where one class is taken for itself at least 50 points more often than others are taken for it
    (80 for file size and mean colour, which the subject itself may decide: lemons are yellow), and Fisher's exact test
    on the two rates gives p < 0.01 after Bonferroni over classes and traits. The test counts units, not images, and
    rounds against a finding. So what looks clear in a few images by chance, or is small but certain in many, is none.
    """
    chosen = _evenly(len(labels))
    labels, units = labels[chosen], np.unique(units[chosen], return_inverse=True)[1].reshape(-1)
    classes = int(labels.max(initial=-1)) + 1
    if len(np.unique(labels)) < 2:
        return ()
    fold_of = _folds(labels, units)
    found: list[Shortcut] = []
    for trait, table in _tables(traits, chosen).items():
        if len(np.unique(table, axis=0)) > 1:
            posterior = _by_value if table.ndim == 1 else _by_tree
            shares = _out_of_fold(posterior, table, labels, fold_of, classes)
            found.append(_judge(trait, shares, labels, units))
    return tuple(found)


def _evenly(images: int) -> NDArray[np.int64]:
    kept = min(images, MOST_IMAGES)
    return np.arange(kept, dtype=np.int64) * images // max(kept, 1)


def _tables(traits: FileTraits, chosen: NDArray[np.int64]) -> dict[str, Any]:
    """One column of codes for a trait that is a name, columns of numbers for one that is measured."""
    width, height = traits.width[chosen].astype(np.float64), traits.height[chosen].astype(np.float64)
    return {
        "file format": _codes(traits.format, chosen),
        "pixel size": np.stack([width, height, width / np.maximum(height, 1.0)], axis=1),
        "file size": traits.file_bytes[chosen].astype(np.float64)[:, None],
        "camera": _codes(traits.camera, chosen),
        "mean colour": np.asarray(traits.colour, dtype=np.float64)[chosen],
    }


def _codes(values: Sequence[str], chosen: NDArray[np.int64]) -> Codes:
    number = {value: code for code, value in enumerate(sorted(set(values)))}
    return np.array([number[values[position]] for position in chosen], dtype=np.int64)


def _folds(labels: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fold of each image: units whole, dealt in turn in the order of their most frequent classes.  # [image]"""
    counts = np.zeros((int(units.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(counts, (units, labels), 1)
    first = np.full(len(counts), len(units), dtype=np.int64)
    np.minimum.at(first, units, np.arange(len(units)))
    dealt = np.empty(len(counts), dtype=np.int64)
    dealt[np.lexsort((first, -counts.sum(axis=1), counts.argmax(axis=1)))] = np.arange(len(counts)) % FOLDS
    fold_of: NDArray[np.int64] = dealt[units]
    return fold_of


def _out_of_fold(
    posterior: Any, table: Any, labels: NDArray[np.int64], fold_of: NDArray[np.int64], classes: int
) -> NDArray[np.float32]:
    """Each class's share for every image, learned from the other folds, as if all classes were equally frequent."""
    shares = np.full((len(labels), classes), 1 / classes, dtype=np.float32)
    for fold in np.unique(fold_of):
        test = fold_of == fold
        if not test.all():
            shares[test] = posterior(table[~test], labels[~test], table[test], classes)
    return shares  # [image, class]


def _by_value(known: Codes, labels: NDArray[np.int64], asked: Codes, classes: int) -> NDArray[np.float64]:
    """By counting: how much of each class has the value; a value never seen says nothing."""
    values = int(max(known.max(), asked.max())) + 1
    counts = np.bincount(known * classes + labels, minlength=values * classes).reshape(values, classes)
    rates = counts / np.maximum(counts.sum(axis=0), 1)
    total = rates.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(rates, total, out=np.full(rates.shape, 1 / classes), where=total > 0)
    return shares[asked]


def _by_tree(known: Table, labels: NDArray[np.int64], asked: Table, classes: int) -> NDArray[np.float64]:
    """By a shallow decision tree with balanced classes."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_leaf_nodes=max(8, 2 * classes),
        min_samples_leaf=max(2, len(labels) // 500),
        class_weight="balanced",
        random_state=0,
    ).fit(known, labels)
    shares = np.zeros((len(asked), classes))
    shares[:, tree.classes_] = tree.predict_proba(asked)
    return shares


def _judge(trait: str, shares: NDArray[np.float32], labels: NDArray[np.int64], units: NDArray[np.int64]) -> Shortcut:
    classes = shares.shape[1]
    own = labels[:, None] == np.arange(classes)  # [image, class]
    size = own.sum(axis=0)
    said = shares > 1 / classes + 1e-6  # more than its share; an image may look like several classes
    hits, wrong = (said & own).sum(axis=0), (said & ~own).sum(axis=0)
    with_class, with_others = _units_by_class(labels, units, classes)
    recall, mistaken = hits / np.maximum(size, 1), wrong / np.maximum(len(labels) - size, 1)
    apart = recall - mistaken
    tail = np.array(
        [
            _fisher(
                hits=int(hits[c]) * int(with_class[c]) // max(int(size[c]), 1),
                of=int(with_class[c]),
                wrong=-(-int(wrong[c]) * int(with_others[c]) // max(len(labels) - int(size[c]), 1)),
                of_others=int(with_others[c]),
            )
            for c in range(classes)
        ]
    )
    p = np.minimum(tail * np.count_nonzero(size) * len(MEANINGS), 1.0)
    clear = (apart >= LEAST_APART[trait]) & (p < CLEAR_P)
    best = int(np.lexsort((-apart, ~clear))[0])
    right = np.bincount(labels[shares.argmax(axis=1) == labels], minlength=classes)
    present = size > 0
    return Shortcut(
        trait=trait,
        score=float(np.mean(right[present] / size[present])),
        chance=1 / int(present.sum()),
        label=best,
        recall=float(recall[best]),
        mistaken=float(mistaken[best]),
        p=float(p[best]),
        clear=bool(clear[best]),
        images=len(labels),
    )


def _units_by_class(
    labels: NDArray[np.int64], units: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In how many units each class occurs, and in how many another class does.  # [class] each"""
    pairs = np.unique(units * classes + labels)
    kinds = np.bincount(pairs // classes)  # [unit] classes in it
    alone = np.bincount(pairs[kinds[pairs // classes] == 1] % classes, minlength=classes)
    return np.bincount(pairs % classes, minlength=classes), len(kinds) - alone


def _fisher(*, hits: int, of: int, wrong: int, of_others: int) -> float:
    """One-sided p of `hits` in `of` against `wrong` in `of_others` or better, given their sum (hypergeometric tail)."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(hits - 1, of + of_others, of, hits + wrong))
