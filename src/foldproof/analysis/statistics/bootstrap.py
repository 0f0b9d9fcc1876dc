"""Sums over what was drawn from the world in; the interval of a score that is a function of them out."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
_SEED = 1993
_AT_ONCE = 2**22  # numbers held while drawing

Floats = NDArray[np.float64]


def percentile_interval(units: Floats, score: Callable[[Floats], Floats]) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of `score` over 10,000 draws of as many units, with replacement, seeded.

    `units`: [unit, sum]; a unit is an image, or a group of images, whichever was drawn. `score` maps total sums
    [draw, sum] to [draw]. Units with equal sums are drawn together. (nan, nan) for no units.
    """
    if len(units) == 0:
        return float("nan"), float("nan")
    kinds, counts = np.unique(units, axis=0, return_counts=True)
    rng = np.random.default_rng(_SEED)
    chance = counts / counts.sum()
    part = max(_AT_ONCE // len(kinds), 1)
    scores = [
        score(rng.multinomial(len(units), chance, size=min(part, DRAWS - done)) @ kinds)
        for done in range(0, DRAWS, part)
    ]
    low, high = np.nanpercentile(np.concatenate(scores), (2.5, 97.5))
    return float(low), float(high)
