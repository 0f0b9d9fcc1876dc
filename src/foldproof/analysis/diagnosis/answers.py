"""Find what predictions reveal: classes that are confused or never predicted, and wrong confidence. Pure."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.diagnosis import words
from foldproof.analysis.diagnosis.evidence import Diagnosis, Seen
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.reliability import reliability_of

EXCHANGED = 0.1  # of the images of two classes
TIMES_USUAL = 2  # as many as pairs of classes usually exchange
LEAST_IMAGES = 5
MOST_PAIRS = 3
MISJUDGED = 0.05  # of accuracy: how far confidence is from it
ABOVE_CHANCE = 0.1  # of accuracy: below it, which mistakes are made says nothing
_SMALL = 0.5  # of an even share


def never_predicted(seen: Seen) -> Iterator[Diagnosis]:
    """Classes that have images and that no image was ever taken for."""
    if seen.table is None or seen.classes < 2:
        return
    table = seen.table
    images, answers = _count(table, table.labels), _count(table, table.predicted)
    missing = np.flatnonzero((images > 0) & (answers == 0))
    if not len(missing):
        return
    named = words.names([table.classes[number] for number in missing])
    small = images[missing].max() < _SMALL * len(table) / len(table.classes)
    remedy = "train.class_weights: balanced" if small else "look at these images, then train longer"
    if seen.setting("class_weights") == "balanced" and small:
        remedy = "more images of them"
    yield Diagnosis(
        "never-predicted",
        f"no image was predicted as {named}, of {int(images[missing].sum())} predictions of such images; try {remedy}",
        {"classes": len(missing), "of_classes": len(table.classes), "images": int(images[missing].sum())},
    )


def confused(seen: Seen) -> Iterator[Diagnosis]:
    """Pairs of classes that exchange many of their images, and more than pairs usually do."""
    if seen.table is None or seen.classes < 3 or not _learned(seen, seen.table):
        return
    classes, table = seen.table.classes, seen.table
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (table.labels, table.predicted), 1)
    exchanged = np.triu(counts + counts.T, 1)
    images = counts.sum(axis=1)
    usual = exchanged.sum() / (len(classes) * (len(classes) - 1) / 2)
    share = exchanged / np.maximum(images[:, None] + images[None, :], 1)
    often = (share >= EXCHANGED) & (exchanged >= max(LEAST_IMAGES, TIMES_USUAL * usual))
    pairs = sorted(np.argwhere(often).tolist(), key=lambda pair: (-share[pair[0], pair[1]], pair))
    if not pairs:
        return
    what = "images" if len(set(table.repeats.tolist())) == 1 else "predictions"
    said = "; ".join(
        f"{words.names([classes[a]])} and {words.names([classes[b]])}: {words.percent(share[a, b])} of their {what}, "
        f"{counts[a, b]} one way and {counts[b, a]} the other"
        for a, b in pairs[:MOST_PAIRS]
    )
    more = f"; {len(pairs) - MOST_PAIRS} pairs more" if len(pairs) > MOST_PAIRS else ""
    first, second = pairs[0]
    yield Diagnosis(
        "confused",
        f"classes are mixed up: {said}{more}; look at these images: can they be told apart by eye?",
        {
            "pairs": len(pairs),
            "first": classes[first],
            "second": classes[second],
            "first_as_second": int(counts[first, second]),
            "second_as_first": int(counts[second, first]),
            "share": float(share[first, second]),
        },
    )


def misjudged(seen: Seen) -> Iterator[Diagnosis]:
    """A model that is surer, or less sure, than it is right."""
    if seen.table is None or not _learned(seen, seen.table):
        return
    found = reliability_of(seen.table)
    if found is None:
        return
    gap, accuracy = found.confidence - found.accuracy, found.accuracy
    noise = 2 * math.sqrt(accuracy * (1 - accuracy) / len(seen.table))
    if abs(gap) < max(MISJUDGED, noise):
        return
    figures = f"mean confidence is {words.percent(found.confidence)}, accuracy {words.percent(accuracy)}"
    evidence = {"confidence": found.confidence, "accuracy": accuracy, "calibration_error": found.error}
    shown = f"(expected calibration error {words.percent(found.error)})"
    if gap > 0:
        text = (
            f"{figures} {shown}: over-confident by {words.points(gap)}; do not read its probabilities as chances, and "
            "try fewer train.epochs or train.weight_decay"
        )
        yield Diagnosis("over-confident", text, evidence)
    else:
        text = f"{figures} {shown}: under-confident by {words.points(gap)}; a longer training usually makes it surer"
        yield Diagnosis("under-confident", text, evidence)


def fold_disagrees(seen: Seen) -> Iterator[Diagnosis]:
    """A fold that lies apart from the others, beyond the chance of images and training."""
    found = seen.disagreement
    if found is None or not found.flagged:
        return
    where = found.fold_id.short(repeats=1 + found.fold_id.repeat)
    gap, side = words.points(abs(found.score - found.others)), "below" if found.score < found.others else "above"
    yield Diagnosis(
        "fold-disagrees",
        f"{found.fold_id} lies {gap} {side} the others ({words.percent(found.score)} against "
        f"{words.percent(found.others)}, p = {found.adjusted:.2g}): its images or its training; "
        f"`foldproof run {seen.experiment} --fold {where} --reseed` tells",
        {"score": found.score, "others": found.others, "p": found.adjusted},
        found.fold_id,
    )


def _count(table: OutOfFold, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(numbers, minlength=len(table.classes))


def _learned(seen: Seen, table: OutOfFold) -> bool:
    return float((table.predicted == table.labels).mean()) > seen.chance_accuracy + ABOVE_CHANCE
