"""Estimate how many images it takes to see a difference between two experiments."""

import math
from statistics import NormalDist

from foldproof.analysis.statistics.student import LEVEL, POWER

_Z_LEVEL = NormalDist().inv_cdf((1 + LEVEL) / 2)
_Z_POWER = NormalDist().inv_cdf(POWER)


def images_for_accuracy(difference: float, *, discordance: float) -> int | None:
    """Images for McNemar's test to find a difference of accuracy (a fraction) with 80 % power at the 5 % level, where
    `discordance` is the fraction of images that only one of two models gets right (Connor 1987).

    A lower bound, since training adds chance of its own. None where no number is enough to say.
    """
    if not 0 < difference < 1 or not discordance > 0:
        return None
    discordance = max(discordance, difference)
    root = _Z_LEVEL * math.sqrt(discordance) + _Z_POWER * math.sqrt(discordance - difference**2)
    return math.ceil((root / difference) ** 2)


def images_by_scale(difference: float, *, images: int, scale: float) -> int | None:
    """The same for any metric whose standard error `scale` was seen with `images` and falls with their square root."""
    if not difference > 0 or not scale > 0:
        return None
    return math.ceil(images * ((_Z_LEVEL + _Z_POWER) * scale / difference) ** 2)
