"""Compute the 95 % interval of a candidate's score from the scores of its folds. Pure.

It is about the models that were trained: how they would score, on average, on other images like these.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Estimate
from foldproof.analysis.rows import rows_of_one
from foldproof.analysis.scoring import ACCURACY
from foldproof.analysis.statistics.paired import Rows, corrected, estimate_by_images, estimate_by_runs
from foldproof.analysis.statistics.shares import all_agree_interval, upper_quantile, wilson_interval
from foldproof.events.fold_id import FoldId
from foldproof.metrics import metric_of

OVERLAP = 1.2  # times the error that the draw of the images explains: folds share training images. Measured
_NEVER_QUITE = 0.001  # how near to 0 and 1 the score of a fold is taken to be, where its images are not counted

Floats = NDArray[np.float64]


def interval_of(candidate: Candidate, scores: Mapping[FoldId, float], metric: str) -> Estimate:
    """By images where they are known, else by folds; bounds of nan where nothing differs and nothing is counted."""
    values = np.array([value for value in scores.values() if math.isfinite(value)], dtype=np.float64)
    mean = float(values.mean()) if len(values) else math.nan
    table = candidate.table
    rows = rows_of_one(table, metric) if table is not None and len(table) else None
    if rows is not None and table is not None:
        low, high = _by_images(rows, len(np.unique(table.units)), mean, metric)
    elif metric == ACCURACY and table is None and (images := _images(candidate, scores)):
        low, high = _by_counts(values, mean, images)
    else:
        low, high = _by_folds(values, mean, metric, candidate.summary.k)
    return Estimate(mean, low, high) if low < high else Estimate(mean, math.nan, math.nan)


def _by_images(rows: Rows, units: int, mean: float, metric: str) -> tuple[float, float]:
    """A Wilson interval of as many units as would leave as much chance; of a loss, one on the scale of logarithms.

    The variance: that of the images (or groups), widened by OVERLAP, and at least that of images and runs together.
    """
    of_images, of_runs = estimate_by_images(rows), estimate_by_runs(rows)
    variance = max((OVERLAP * of_images.scale) ** 2, of_runs.scale**2 if of_runs.known else 0.0)
    share = _never_quite(mean, units)
    is_fraction = metric_of(metric).is_fraction
    if is_fraction and mean in (0.0, 1.0):
        return all_agree_interval(mean, share * (1 - share) / of_images.scale**2)
    if not of_images.df > 0 or variance == 0:
        return math.nan, math.nan
    quantile = upper_quantile(of_images.df)
    if not is_fraction:
        factor = math.exp(quantile * math.sqrt(variance) / mean) if mean > 0 else math.nan
        return mean / factor, mean * factor
    return wilson_interval(mean, share * (1 - share) / variance, quantile)


def _never_quite(share: float, units: int) -> float:
    """With one more right and one more wrong: Laplace's rule of succession."""
    return (share * units + 1) / (units + 2)


def _images(candidate: Candidate, scores: Mapping[FoldId, float]) -> int:
    """How many images the folds were scored on, each counted once; 0 where that is not known of every fold."""
    counts = [
        candidate.summary.images_by_fold.get(fold_id, 0) for fold_id, value in scores.items() if math.isfinite(value)
    ]
    return sum(counts) // len({repeat for repeat, _ in scores}) if counts and all(counts) else 0


def _by_counts(values: Floats, mean: float, images: int) -> tuple[float, float]:
    if mean in (0.0, 1.0):
        return all_agree_interval(mean, images)
    share = _never_quite(mean, images)
    between = float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
    variance = max(OVERLAP**2 * share * (1 - share) / images, between)
    return wilson_interval(mean, share * (1 - share) / variance, upper_quantile(max(images - 1, 1)))


def _by_folds(values: Floats, mean: float, metric: str, k: int) -> tuple[float, float]:
    """The corrected t interval, of shares on the scale of log odds and of a loss on that of logarithms.

    So it ends at no value that cannot be.
    """
    there, back = _scale(metric)
    reading = corrected(there(values), k=k)
    if not reading.known:
        return math.nan, math.nan
    middle, half = float(there(np.array(mean))), reading.half_width
    return min(float(back(middle - half)), mean), max(float(back(middle + half)), mean)


def _scale(metric: str) -> tuple[Callable[[Floats], Floats], Callable[[float], float]]:
    known = metric_of(metric)
    if known.is_fraction:
        return _log_odds, scipy.special.expit
    if known.is_loss:
        return np.log, math.exp
    return np.asarray, float


def _log_odds(shares: Floats) -> Floats:
    odds: Floats = scipy.special.logit(np.clip(shares, _NEVER_QUITE, 1 - _NEVER_QUITE))
    return odds
