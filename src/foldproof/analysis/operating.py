"""Compute ROC and precision-recall curves of one class against the rest, and their areas. Pure.

`scores` is [image] float, `positive` [image] bool. The area under the ROC curve is taken in each fold and averaged, as
scores of different models need not be on one scale (Forman & Scholz 2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.scoring import rows_by_fold
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread

_GRID = np.linspace(0.0, 1.0, 201)  # false positive rates at which a macro curve is averaged


@dataclass(frozen=True)
class Curve:
    """Points of a curve, both axes fractions.  # [point], [point]"""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class OneAgainstRest:
    """How well one class is told from the rest. `auroc` is over the folds that have images of both kinds; `by_fold`
    holds each. `roc` (false positive rate, recall) and `precision_recall` (recall, precision) are pooled over folds.
    """

    name: str
    images: int
    auroc: Spread
    by_fold: dict[FoldId, float]
    average_precision: float
    roc: Curve
    precision_recall: Curve


def one_against_rest(table: OutOfFold, number: int) -> OneAgainstRest | None:
    """Class `number` of the table against the rest; None if all images are of one kind or a score is not finite."""
    scores, positive = table.probabilities[:, number].astype(np.float64), table.labels == number
    if not positive.any() or positive.all() or not np.isfinite(scores).all():
        return None
    by_fold = auroc_by_fold(table, number)
    return OneAgainstRest(
        name=table.classes[number],
        images=int(positive.sum()),
        auroc=Spread.of(value for value in by_fold.values() if value == value),
        by_fold=by_fold,
        average_precision=average_precision(scores, positive),
        roc=roc(scores, positive),
        precision_recall=precision_recall(scores, positive),
    )


def auroc_by_fold(table: OutOfFold, number: int) -> dict[FoldId, float]:
    """The area under the ROC curve of each fold; nan where it has images of one kind only."""
    scores = table.probabilities[:, number].astype(np.float64)
    return {fold_id: auroc(scores[rows], table.labels[rows] == number) for fold_id, rows in rows_by_fold(table)}


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative, ties counting half (Hanley & McNeil 1982); else nan."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, number, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks = float(middle_rank[number.reshape(-1)][positive].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def roc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Curve:
    """(false positive rate, recall) at every threshold, from (0, 0) to (1, 1)."""
    hits, alarms = _counted(scores, positive)
    return Curve(np.concatenate([[0.0], alarms / alarms[-1]]), np.concatenate([[0.0], hits / hits[-1]]))


def precision_recall(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Curve:
    """(recall, precision) at every threshold, from the strictest on; the first point stands at recall 0."""
    hits, alarms = _counted(scores, positive)
    precision = hits / (hits + alarms)
    return Curve(np.concatenate([[0.0], hits / hits[-1]]), np.concatenate([precision[:1], precision]))


def average_precision(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Precision at every threshold, weighted by the recall gained there."""
    curve = precision_recall(scores, positive)
    return float(np.sum(np.diff(curve.x) * curve.y[1:]))


def macro(curves: list[Curve]) -> Curve:
    """The mean curve, averaged vertically (Fawcett 2006)."""
    heights = [_height_at(curve, _GRID) for curve in curves]
    mean: NDArray[np.float64] = np.mean(heights, axis=0)
    return Curve(_GRID, mean)


def _height_at(curve: Curve, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = np.maximum.reduceat(curve.y, starts := np.flatnonzero(np.diff(curve.x, prepend=-1.0) > 0))
    height: NDArray[np.float64] = np.interp(grid, curve.x[starts], highest)
    return height


def _counted(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and false positives at each distinct score, from the highest down.  # [threshold], [threshold]"""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    hits = np.cumsum(positive[order])[ends].astype(np.float64)
    return hits, (1.0 + ends) - hits
