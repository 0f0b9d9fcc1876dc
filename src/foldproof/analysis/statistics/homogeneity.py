"""Find the fold least like the others, and how often chance alone makes one like it.

Two trainings of one recipe never come out equally good, so folds are not expected to: a fold is held against the others
beyond the chance of its images *and* that of its training.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from foldproof.events.fold_id import FoldId

BY_CURVES = "outlier test beyond images and training noise"
BY_SCORES = "outlier test on the scores"
MATTERS = 0.02  # a gap between a fold and the others below which nothing is said of it
LOOKED_AT = 3  # epochs, the last ones

# Measured on healthy trainings (docs/statistics.md), in units of p (1 - p), as the overdispersion of a beta-binomial:
LASTING = 3e-4  # what one training is better than another of its recipe, epoch after epoch
SWING = 20e-4  # what it moves up and down from one epoch to the next, before its curve says so itself
SWING_WEIGHT = 4  # degrees of freedom that SWING is worth beside those of the curves
LEAST_SPREAD = 0.005  # half a point, between scores of folds whose images are not counted

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoldCurve:
    """A fold: its accuracy after each epoch, and how many images (or groups of them) it was judged on."""

    accuracies: tuple[float, ...]
    units: int


@dataclass(frozen=True)
class Homogeneity:
    """The fold least like the others. `p`: how often one of healthy folds lies as far apart.

    `score`, `others`: its accuracy and theirs, on average over the last `epochs`.
    """

    test: str
    p: float
    fold_id: FoldId
    score: float
    others: float
    epochs: int = 1

    @property
    def matters(self) -> bool:
        """Whether the gap is one that somebody should look at, however sure it is."""
        return abs(self.score - self.others) >= MATTERS


def compare_curves(curves: Mapping[FoldId, FoldCurve]) -> Homogeneity | None:
    """Each fold against the others of its repeat, on average over the last three epochs; the least p, times the folds.

    The variance of a fold's accuracy: p (1 - p) / images, as of a binomial; LASTING p (1 - p), as of a beta-binomial
    (Williams 1982); and what the curves move up and down, each for itself, over the epochs looked at, shrunk towards
    SWING. A t-test with Satterthwaite's (1946) degrees of freedom. Of a single epoch no curve shows how far trainings
    swing: the variance is then at least what the other folds show. None for no repeat with two folds.
    """
    repeats = [
        _Repeat.of(fold_ids, curves) for fold_ids in _repeats([fold_id for fold_id in curves if curves[fold_id].units])
    ]
    known = [one for one in repeats if len(one.fold_ids) > 1 and one.accuracies.size]
    if not known:
        return None
    squares, df = sum(one.swing[0] for one in known), sum(one.swing[1] for one in known)
    found = [item for one in known for item in one.apart(squares, df)]
    least = min(found, key=lambda item: item.p)
    p = min(least.p * len(found), 1.0)
    return Homogeneity(BY_CURVES, p, least.fold_id, least.score, least.others, least.epochs)


@dataclass(frozen=True)
class _Repeat:
    """The folds of one repeat.  # accuracies: [fold, epoch], the last epochs; units: [fold]"""

    fold_ids: Sequence[FoldId]
    accuracies: Floats
    units: Floats

    @staticmethod
    def of(fold_ids: Sequence[FoldId], curves: Mapping[FoldId, FoldCurve]) -> "_Repeat":
        epochs = min(LOOKED_AT, *(len(curves[fold_id].accuracies) for fold_id in fold_ids))
        last = [curves[fold_id].accuracies[-epochs:] if epochs else () for fold_id in fold_ids]
        return _Repeat(
            fold_ids, np.array(last, dtype=np.float64), np.array([curves[fold_id].units for fold_id in fold_ids])
        )

    @property
    def swing(self) -> tuple[float, int]:
        """Squares of what the curves move for themselves, beside what all do in an epoch, and degrees of freedom."""
        by_fold, by_epoch = self.accuracies.mean(axis=1, keepdims=True), self.accuracies.mean(axis=0)
        folds, epochs = self.accuracies.shape
        own = self.accuracies - by_fold - by_epoch + self.accuracies.mean()
        return float((own**2).sum()), (folds - 1) * (epochs - 1)

    def apart(self, squares: float, df: int) -> list[Homogeneity]:
        """Each fold against the others, where the curves of all repeats move by `squares` with `df`."""
        return [self._apart(fold, squares, df) for fold in range(len(self.fold_ids))]

    def _apart(self, fold: int, squares: float, df: int) -> Homogeneity:
        mean, rest = self.accuracies.mean(axis=1), np.arange(len(self.fold_ids)) != fold
        images = float(self.units[rest].sum())
        others = float((mean[rest] * self.units[rest]).sum() / images)
        share = (float(mean @ self.units) + 1) / (float(self.units.sum()) + 2)  # Laplace's rule: never quite 0 or 1
        chance, folds = share * (1 - share), 1 + 1 / float(rest.sum())
        epochs = self.accuracies.shape[1]
        swing = folds * (SWING_WEIGHT * SWING * chance + squares) / (SWING_WEIGHT + df) / epochs
        variance = chance * (1 / float(self.units[fold]) + 1 / images + LASTING * folds) + swing
        freedom = (SWING_WEIGHT + df) * (variance / swing) ** 2
        spread = folds * float(mean[rest].var(ddof=1)) if epochs == 1 and rest.sum() > 2 else 0.0
        if spread > variance:
            variance, freedom = spread, float(rest.sum()) - 1
        score = float(mean[fold])
        p = 2 * float(scipy.special.stdtr(freedom, -abs(score - others) / math.sqrt(variance)))
        return Homogeneity(BY_CURVES, p, self.fold_ids[fold], score, others, epochs)


def _repeats(fold_ids: Sequence[FoldId]) -> list[list[FoldId]]:
    return [
        [fold_id for fold_id in fold_ids if fold_id.repeat == repeat]
        for repeat in sorted({repeat for repeat, _ in fold_ids})
    ]


def compare_scores(experiments: Sequence[Mapping[FoldId, float]]) -> tuple[Homogeneity | None, ...]:
    """Where the images of a fold are not counted: each fold against the others of its experiment, as a t-test of one
    more observation, with a spread pooled over all experiments without that fold, and of at least half a point, which
    is what hundreds of images a fold leave to chance; the least p, times the folds.

    None for an experiment of fewer than three folds with a score.
    """
    scores = [{fold_id: score for fold_id, score in one.items() if math.isfinite(score)} for one in experiments]
    spreads = [_spread(list(one.values())) for one in scores]
    squares, df = math.fsum(spread for spread, _ in spreads), sum(freedom for _, freedom in spreads)
    return tuple(
        _farthest(mine, squares - spread, df - freedom) for mine, (spread, freedom) in zip(scores, spreads, strict=True)
    )


def _farthest(mine: Mapping[FoldId, float], squares: float, freedom: int) -> Homogeneity | None:
    """The fold of `mine` least like the others, where all other experiments vary by `squares` with `freedom`."""
    if len(mine) < 3:
        return None
    found = []
    for fold_id, score in mine.items():
        rest = [other for at, other in mine.items() if at != fold_id]
        spread, left = _spread(rest)
        others, df = math.fsum(rest) / len(rest), left + freedom
        variance = max((spread + squares) / df, LEAST_SPREAD**2) * (1 + 1 / len(rest))
        p = float(2 * scipy.special.stdtr(df, -abs(score - others) / math.sqrt(variance)))
        found.append(Homogeneity(BY_SCORES, p, fold_id, score, others))
    least = min(found, key=lambda item: item.p)
    return Homogeneity(BY_SCORES, min(least.p * len(mine), 1.0), least.fold_id, least.score, least.others)


def _spread(values: Sequence[float]) -> tuple[float, int]:
    """The sum of squares about the mean, and its degrees of freedom."""
    if not values:
        return 0.0, 0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values), len(values) - 1
