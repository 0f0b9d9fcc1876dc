"""Two runs' out-of-fold predictions in; the images they have in common, or why they cannot be compared, out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.scoring import ADDITIVE
from foldproof.analysis.statistics.paired import Rows

FOLDS, LABELS, METRIC = "folds", "labels", "metric"
_AT_LEAST = 4  # units that differ, in every stratum
_MORE = 2  # units that differ, in all; then five that all agree prove as little as in McNemar's exact test


@dataclass(frozen=True)
class Common:
    """The same rows of two tables, in one order; `only_in_a`, `only_in_b` count images that the other has not."""

    a: OutOfFold
    b: OutOfFold
    only_in_a: int
    only_in_b: int

    @property
    def images(self) -> int:
        return len(np.unique(self.a.sha256))


def in_common(a: OutOfFold, b: OutOfFold) -> Common | str:
    """The images that both runs scored, in the folds that both finished, or the word for why they are not comparable.

    Comparable are runs that agree on the fold and the label of every image they have in common, repeat by repeat. They
    need not have the same images: an image that only one has is left out and counted.
    """
    here, there = a.row_names, b.row_names
    same = len(here) == len(there) and bool((here == there).all())
    at = bt = np.arange(len(here))
    if not same:
        _, at, bt = np.intersect1d(here, there, assume_unique=True, return_indices=True)
    if not len(at):
        return FOLDS
    if (a.folds[at] != b.folds[bt]).any():
        return FOLDS
    if (np.array(a.classes)[a.labels[at]] != np.array(b.classes)[b.labels[bt]]).any():
        return LABELS
    if same:
        return Common(a, b, 0, 0)
    order = np.argsort(at, kind="stable")
    only_in_a = len(np.setdiff1d(a.sha256, b.sha256))
    only_in_b = len(np.setdiff1d(b.sha256, a.sha256))
    return Common(a.take(at[order]), b.take(bt[order]), only_in_a, only_in_b)


def rows_of(common: Common, metric: str) -> Rows | None:
    """What every common row adds to the difference a minus b of an additive metric; None for another metric."""
    additive = ADDITIVE.get(metric)
    if additive is None:
        return None
    table = common.a
    place_names, place = np.unique(np.stack([table.repeats, table.folds]), axis=1, return_inverse=True)
    place = place.reshape(-1)
    places = place_names.shape[1]
    weight = np.empty(len(table))
    for number in range(places):
        rows = np.flatnonzero(place == number)
        weight[rows] = additive.weight(table.labels[rows]) / places
    difference = additive.value(common.a) - additive.value(common.b)
    strata = additive.stratum(table.labels)
    sums = np.bincount(strata, weights=weight * difference)
    weights = np.bincount(strata, weights=weight)
    expected = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)[strata]
    residual, unit = weight * (difference - expected), _units(common)
    return Rows(
        contribution=weight * difference,
        residual=residual,
        place=place.astype(np.int64),
        unit=unit,
        least=additive.least**2
        * (
            sum(_lacking(residual[rows], weight[rows], unit[rows]) for rows in _each(strata))
            + _MORE * (float(weight.sum()) / len(np.unique(unit))) ** 2
        ),
    )


def _units(common: Common) -> NDArray[np.int64]:
    """What was drawn from the world: groups, if either run knows any, else images."""
    return common.b.units if (common.a.groups == "").all() else common.a.units


def _each(strata: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [np.flatnonzero(strata == number) for number in np.unique(strata)]


def _lacking(residual: NDArray[np.float64], weight: NDArray[np.float64], unit: NDArray[np.int64]) -> float:
    """What the sum of squares over the units of a stratum lacks to what it is at least taken to be: that of two units
    that speak for one experiment and two that speak for the other. A handful that all agree prove little.
    """
    _, number = np.unique(unit, return_inverse=True)
    squares = float((np.bincount(number, weights=residual) ** 2).sum())
    one = float(weight.sum()) / (int(number.max()) + 1)
    return max(_AT_LEAST * one**2 - squares, 0.0)


def discordant(common: Common) -> tuple[int, int]:
    """McNemar's table: rows that only a got right, rows that only b got right."""
    a, b = common.a.predicted == common.a.labels, common.b.predicted == common.b.labels
    return int((a & ~b).sum()), int((b & ~a).sum())
