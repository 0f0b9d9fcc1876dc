"""Measure from out-of-fold predictions whether a model is right as often as its confidence says. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold

BINS = 15


@dataclass(frozen=True)
class Bin:
    """Predictions whose confidence lies in (low, high]; the first bin holds 0 too. Nan where there is none."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """`error` is the expected calibration error, sum of images/all * |accuracy - confidence| over 15 bins of equal
    width (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017); `confidence` and `accuracy` are means over all images.
    """

    bins: tuple[Bin, ...]
    error: float
    confidence: float
    accuracy: float


def reliability_of(table: OutOfFold) -> Reliability | None:
    """Of the most probable class of each image; None without images or where a probability is not a number."""
    if not len(table) or not np.isfinite(table.probabilities).all():
        return None
    confidence = table.probabilities.max(axis=1).astype(np.float64)
    right = (table.predicted == table.labels).astype(np.float64)
    bins = _bins(confidence, right)
    gaps = (one.images * abs(one.accuracy - one.confidence) for one in bins if one.images)
    return Reliability(bins, sum(gaps) / len(table), float(confidence.mean()), float(right.mean()))


def _bins(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[Bin, ...]:
    number = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    counts = np.bincount(number, minlength=BINS)
    sums = [np.bincount(number, weights=values, minlength=BINS) for values in (confidence, right)]
    said, was = (np.divide(total, counts, out=np.full(BINS, np.nan), where=counts > 0) for total in sums)
    return tuple(Bin(b / BINS, (b + 1) / BINS, int(counts[b]), float(said[b]), float(was[b])) for b in range(BINS))
