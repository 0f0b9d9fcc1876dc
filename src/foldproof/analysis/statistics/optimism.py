"""Estimate by how much the best of several experiments flatters."""

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
MOST = 1_000  # experiments; the covariance grows with their square
_SEED = 20_031  # of the draws: the same numbers give the same answer


def optimism_of_best(scores: NDArray[np.float64], *, k: int) -> float:
    """The expected difference between the highest average and the truth of the experiment that has it.

    `scores`: [experiment, fold of a repeat], higher is better, nan where a fold has none; averages are taken over the
    folds that all have. A parametric bootstrap: averages are drawn around those seen, with the covariance of the fold
    scores times (1 / n + 1 / (k - 1)) as in the corrected t-test. 0 for one experiment; nan with fewer than two folds,
    or for more than 1,000 experiments.
    """
    if len(scores) < 2:
        return 0.0
    shared = scores[:, ~np.isnan(scores).any(axis=0)]
    folds = shared.shape[1]
    if folds < 2 or len(scores) > MOST or not np.isfinite(shared).all():
        return float("nan")
    covariance = np.atleast_2d(np.cov(shared)) * (1 / folds + 1 / (k - 1))
    truth = shared.mean(axis=1)
    rng = np.random.default_rng(_SEED)
    drawn = rng.multivariate_normal(truth, covariance, size=DRAWS, method="svd", check_valid="ignore")
    picked = drawn.argmax(axis=1)
    return float((drawn[np.arange(DRAWS), picked] - truth[picked]).mean())
