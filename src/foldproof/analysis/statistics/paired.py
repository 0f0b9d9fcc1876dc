"""Test the difference of two experiments on the same folds.

Two answers. `corrected` needs the score of each fold only: the correlated t-test (Nadeau & Bengio 2003; as a posterior,
Benavoli et al. 2017). `both_ways` needs every image: it asks for a difference beyond the chance of the images and, by a
standard error clustered two ways (Cameron, Gelbach & Miller 2011), beyond the chance of the training runs.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.statistics.student import Student

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """What every out-of-fold prediction adds to a difference between two experiments.

    `contribution`: what a row adds, so that the sum over all rows is the mean over folds of the difference.
    `residual`: the part of it that is chance, if the rows were drawn independently. `place`: the training run (fold of
    a repeat) that a row is of. `unit`: what was drawn from the world, an image or a group, whatever the repeat.
    `least`: added to the sum of squares over units, so that a handful of rows that all agree do not prove too much.
    All [row], numbers from 0.
    """

    contribution: Floats
    residual: Floats
    place: Ints
    unit: Ints
    least: float = 0.0


def corrected(differences: Floats, *, k: int) -> Student:
    """The mean difference of `differences` [fold of a repeat] of a k-fold cross-validation, scale corrected for the
    training images that folds share: sqrt((1 / n + 1 / (k - 1)) s^2), n - 1 degrees of freedom.

    Nothing is known from fewer than two folds, nor where all folds differ by exactly the same amount, none included.
    """
    n = len(differences)
    if n < 2:
        return Student(float(differences.mean()) if n else math.nan, math.nan, 0)
    variance = float(differences.var(ddof=1))
    mean = float(differences.mean())
    if variance <= 1e-24:
        return Student(mean, math.nan, 0)
    return Student(mean, math.sqrt((1 / n + 1 / (k - 1)) * variance), n - 1)


def both_ways(rows: Rows) -> tuple[Student, float]:
    """The more cautious of two readings of the same difference, the one with the wider 95 % interval, and the larger of
    their two p-values, which at other levels need not be that of the same reading.

    Of the images: residuals summed by unit, degrees of freedom units - 1. Of the training runs: the variance of the
    images, plus that of the runs, less that of single rows, which is in both; degrees of freedom runs - 1.
    """
    of_images, of_runs = estimate_by_images(rows), estimate_by_runs(rows)
    return max(of_images, of_runs, key=lambda reading: reading.half_width), max(of_images.p, of_runs.p)


def estimate_by_images(rows: Rows) -> Student:
    """The difference, as uncertain as the draw of the images (or groups) makes it."""
    units = int(np.count_nonzero(np.bincount(rows.unit)))
    return Student(_mean(rows), math.sqrt(_variance_of_images(rows)), units - 1)


def estimate_by_runs(rows: Rows) -> Student:
    """The difference, as uncertain as the draw of images and the training runs together make it."""
    places = int(np.count_nonzero(np.bincount(rows.place)))
    if places < 2:
        return Student(_mean(rows), math.nan, 0)
    sums = _sums(rows.contribution, rows.place)
    of_runs = float(((sums - sums.mean()) ** 2).sum()) * len(sums) / (len(sums) - 1)
    of_rows = float((rows.residual**2).sum())
    of_images = float((_sums(rows.residual, rows.unit) ** 2).sum())
    variance = max(of_images + of_runs - of_rows, 0.0)
    return Student(_mean(rows), math.sqrt(variance), places - 1)


def _mean(rows: Rows) -> float:
    return float(rows.contribution.sum()) if len(rows.contribution) else math.nan


def _variance_of_images(rows: Rows) -> float:
    return float((_sums(rows.residual, rows.unit) ** 2).sum()) + rows.least


def _sums(values: Floats, number: Ints) -> Floats:
    """The sum of each number that there is; numbers are small."""
    return np.bincount(number, weights=values)[np.bincount(number) > 0].astype(np.float64)


def holm(p: Floats) -> Floats:
    """P-values adjusted for being several (Holm 1979); nan stays and does not count.  # [test] -> [test]"""
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted
