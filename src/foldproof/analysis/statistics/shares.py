"""Compute the 95 % interval of a share of right answers, within 0 to 1, given how much of it is chance."""

import math

import scipy

LEVEL = 0.95
_HALF = (1 - LEVEL) / 2  # of the chance that is left outside, on each side


def wilson_interval(share: float, units: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval (1927) for a share of `units` independent units; `quantile` is Student's or 1.96.

    It ends at 0 or 1 only if the share is 0 or 1. `units` is an effective sample size and need not be whole.
    """
    square = quantile**2
    middle = (share + square / (2 * units)) / (1 + square / units)
    half = quantile / (1 + square / units) * math.sqrt(share * (1 - share) / units + square / (4 * units**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def all_agree_interval(share: float, units: float) -> tuple[float, float]:
    """The exact interval (Clopper & Pearson 1934) of a share of 0 or 1 that was seen in `units` units.

    Raises ValueError for any other share.
    """
    least = float(_HALF ** (1 / units)) if units else 0.0
    if share == 1:
        return least, 1.0
    if share == 0:
        return 0.0, 1 - least
    raise ValueError(f"a share of {share} is seen where units differ")


def upper_quantile(df: float) -> float:
    """What a Student variable exceeds in 2.5 % of cases."""
    return float(scipy.special.stdtrit(df, 1 - _HALF))
