"""Compute what each out-of-fold prediction adds to a score, or to a difference, of an additive metric. Pure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.pairing import Common
from foldproof.analysis.statistics.paired import Rows
from foldproof.metrics import Additive, metric_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Least = Callable[[int], float]  # the units of a stratum: the least sum of squares over them, in squares of one unit

_AT_LEAST = 4  # units that differ, in every stratum
_MORE = 2  # units that differ, in all; then five that all agree prove as little as in McNemar's exact test


def rows_of(common: Common, metric: str) -> Rows | None:
    """What every common row adds to the difference a minus b of an additive metric; None for another metric.

    The sum of squares over the units of a stratum is taken to be at least that of two units that speak for one
    experiment and two that speak for the other: a handful that all agree prove little.
    """
    additive = metric_of(metric).additive
    if additive is None:
        return None
    value = _values(additive, common.a) - _values(additive, common.b)
    unit = common.b.units if (common.a.groups == "").all() else common.a.units  # groups, if either run knows any
    return _rows(common.a, additive, value, unit, _least_of_difference, more=_MORE)


def rows_of_one(table: OutOfFold, metric: str) -> Rows | None:
    """What every row adds to the score of an additive metric; None for another metric.

    The sum of squares over the units of a stratum is taken to be at least that of a share that was seen to be 1, by
    Laplace's rule of succession: five images of a rare class that are all right leave doubt.
    """
    additive = metric_of(metric).additive
    if additive is None:
        return None
    return _rows(table, additive, _values(additive, table), table.units, _least_of_share)


def _values(additive: Additive, table: OutOfFold) -> Floats:
    return additive.value(table.probabilities, table.labels)


def _least_of_difference(units: int) -> float:  # noqa: ARG001 - however many
    return _AT_LEAST


def _least_of_share(units: int) -> float:
    share = (units + 1) / (units + 2)
    return units * share * (1 - share)


def _rows(table: OutOfFold, additive: Additive, value: Floats, unit: Ints, least: Least, *, more: int = 0) -> Rows:
    place_names, place = np.unique(np.stack([table.repeats, table.folds]), axis=1, return_inverse=True)
    place = place.reshape(-1)
    places = place_names.shape[1]
    weight = np.empty(len(table))
    for number in range(places):
        rows = np.flatnonzero(place == number)
        weight[rows] = additive.weight(table.labels[rows]) / places
    strata = additive.stratum(table.labels)
    sums = np.bincount(strata, weights=weight * value)
    weights = np.bincount(strata, weights=weight)
    expected = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)
    residual = weight * (value - expected[strata])
    lacking = sum(
        _lacking(residual[rows], weight[rows], unit[rows], least)
        for rows in (np.flatnonzero(strata == number) for number in np.unique(strata))
    )
    in_all = more * (float(weight.sum()) / len(np.unique(unit))) ** 2
    return Rows(weight * value, residual, place.astype(np.int64), unit, additive.least**2 * (lacking + in_all))


def _lacking(residual: Floats, weight: Floats, unit: Ints, least: Least) -> float:
    """What the sum of squares over the units of a stratum lacks to what it is at least taken to be."""
    _, number = np.unique(unit, return_inverse=True)
    squares = float((np.bincount(number, weights=residual) ** 2).sum())
    units = int(number.max()) + 1
    return max(least(units) * (float(weight.sum()) / units) ** 2 - squares, 0.0)
