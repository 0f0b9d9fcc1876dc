"""Out-of-fold predictions and the name of a metric in; scores of folds and of all, and what each row adds, out."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foldproof import registry
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.data.dataset import are_uneven
from foldproof.errors import UnknownName
from foldproof.events.fold_id import FoldId

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ACCURACY, BALANCED, LOG_LOSS = "accuracy", "balanced_accuracy", "log_loss"
LOGGED_BY_OTHERS = ("f1", "auc")  # known by their scores alone; higher is better
FRACTIONS = (ACCURACY, BALANCED, "macro_f1", *LOGGED_BY_OTHERS)
POOLED = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")


def default_metric(labels: Ints) -> str:
    """Accuracy, or balanced accuracy where the largest class has over 3 times the images of the smallest."""
    return BALANCED if are_uneven(np.bincount(labels).tolist()) else ACCURACY


def higher_is_better(metric: str) -> bool:
    """Which direction is better, by the metric's attribute `higher_is_better`, True or False.

    Raises UnknownName where it has none: a guess would name the loser.
    """
    if metric in LOGGED_BY_OTHERS:
        return True
    said = getattr(registry.load("metrics", metric), "higher_is_better", None)
    if not isinstance(said, bool):
        name = metric.rpartition(":")[2]
        raise UnknownName(
            f"the metric '{metric}' does not say which direction is better",
            next_step=f"set `{name}.higher_is_better = True`, or False, where it is defined",
        )
    return said


def most_apart(metric: str) -> float:
    """How far two scores can lie apart: shares no further than 1."""
    return 1.0 if metric in FRACTIONS else math.inf


def fold_scores(table: OutOfFold, metric: str) -> dict[FoldId, float]:
    """The score of each fold of each repeat."""
    measure = registry.load("metrics", metric)
    return {fold_id: measure(table.probabilities[rows], table.labels[rows]) for fold_id, rows in rows_by_fold(table)}


def rows_by_fold(table: OutOfFold) -> list[tuple[FoldId, Ints]]:
    """The rows of every fold of every repeat."""
    return [
        (fold_id, np.flatnonzero((table.repeats == fold_id.repeat) & (table.folds == fold_id.fold)))
        for fold_id in table.fold_ids
    ]


def pooled_scores(table: OutOfFold) -> dict[str, float]:
    """Metrics over all predictions together; of several repeats, every prediction counts."""
    return {name: registry.load("metrics", name)(table.probabilities, table.labels) for name in POOLED}


def by_group(table: OutOfFold) -> OutOfFold:
    """A row a group, class and repeat, with the mean of its images' probabilities; images in no group are their own."""
    keys = np.stack([table.units, table.labels, table.repeats, table.folds])
    _, first, number, counts = np.unique(keys, axis=1, return_index=True, return_inverse=True, return_counts=True)
    sums = np.zeros((len(first), table.probabilities.shape[1]), dtype=np.float64)
    np.add.at(sums, number.reshape(-1), table.probabilities.astype(np.float64))
    units = table.take(first)
    return replace(units, probabilities=(sums / counts[:, None]).astype(np.float32))


@dataclass(frozen=True)
class Additive:
    """A metric that is a weighted sum over the rows of a fold: `value` of a row, and its `weight` within its fold.

    `stratum`: rows that share one are held against each other when asking what is chance (the class, for a score that
    averages over classes).
    """

    value: Callable[[OutOfFold], Floats]
    weight: Callable[[Ints], Floats]
    stratum: Callable[[Ints], Ints]
    least: float  # smallest step of a value: one image more or less


def _right(table: OutOfFold) -> Floats:
    return np.asarray(table.predicted == table.labels, dtype=np.float64)


def _log_probability(table: OutOfFold) -> Floats:
    chosen = table.probabilities[np.arange(len(table)), table.labels].astype(np.float64)
    return np.asarray(-np.log(np.maximum(chosen, float(np.finfo(np.float32).tiny))), dtype=np.float64)


def _equal_weights(labels: Ints) -> Floats:
    return np.full(len(labels), 1 / len(labels), dtype=np.float64)


def _class_weights(labels: Ints) -> Floats:
    counts = np.bincount(labels)
    weights: Floats = 1 / (counts[labels] * (counts > 0).sum())
    return weights


def _together(labels: Ints) -> Ints:
    return np.zeros(len(labels), dtype=np.int64)


def _by_class(labels: Ints) -> Ints:
    return labels


ADDITIVE: Mapping[str, Additive] = {
    ACCURACY: Additive(_right, _equal_weights, _together, 1.0),
    BALANCED: Additive(_right, _class_weights, _by_class, 1.0),
    LOG_LOSS: Additive(_log_probability, _equal_weights, _together, 0.0),
}
