"""The exact interval of a share that was seen to be 0 or 1."""

_HALF = 0.025  # of the chance that is left outside a 95 % interval


def all_agree_interval(share: float, units: int) -> tuple[float, float]:
    """The exact 95 % interval (Clopper & Pearson 1934) of a share of 0 or 1 that was seen in `units` units.

    Resampling what is always right finds no doubt, however few there were. Raises ValueError for any other share.
    """
    least = float(_HALF ** (1 / units)) if units else 0.0
    if share == 1:
        return least, 1.0
    if share == 0:
        return 0.0, 1 - least
    raise ValueError(f"a share of {share} is seen where units differ")
