"""Score out-of-fold predictions by a metric: each fold, all folds, and the contribution of each row."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from foldproof import registry
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.data.dataset import are_uneven
from foldproof.events.fold_id import FoldId
from foldproof.metrics import metric_of

Ints = NDArray[np.int64]

ACCURACY, BALANCED = "accuracy", "balanced_accuracy"


def default_metric(labels: Ints) -> str:
    """Accuracy, or balanced accuracy where the largest class has over 3 times the images of the smallest."""
    return BALANCED if are_uneven(np.bincount(labels).tolist()) else ACCURACY


def fold_scores(table: OutOfFold, metric: str) -> dict[FoldId, float]:
    """The score of each fold of each repeat."""
    measure = metric_of(metric).function
    return {fold_id: measure(table.probabilities[rows], table.labels[rows]) for fold_id, rows in rows_by_fold(table)}


def rows_by_fold(table: OutOfFold) -> list[tuple[FoldId, Ints]]:
    """The rows of every fold of every repeat."""
    return [
        (fold_id, np.flatnonzero((table.repeats == fold_id.repeat) & (table.folds == fold_id.fold)))
        for fold_id in table.fold_ids
    ]


def pooled_scores(table: OutOfFold) -> dict[str, float]:
    """The registered metrics over all predictions together; of several repeats, every prediction counts."""
    return {name: metric_of(name).function(table.probabilities, table.labels) for name in registry.SEAMS["metrics"]}


def average_groups(table: OutOfFold) -> OutOfFold:
    """A row a group, class and repeat, with the mean of its images' probabilities; images in no group are their own."""
    keys = np.stack([table.units, table.labels, table.repeats, table.folds])
    _, first, number, counts = np.unique(keys, axis=1, return_index=True, return_inverse=True, return_counts=True)
    sums = np.zeros((len(first), table.probabilities.shape[1]), dtype=np.float64)
    np.add.at(sums, number.reshape(-1), table.probabilities.astype(np.float64))
    units = table.take(first)
    return replace(units, probabilities=(sums / counts[:, None]).astype(np.float32))
