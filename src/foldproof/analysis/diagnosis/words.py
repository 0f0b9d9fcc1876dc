"""Numbers in, the way they are said out: percent, points, losses, folds. Pure."""

import math
from collections.abc import Sequence

from foldproof.record import Place
from foldproof.storage import cleaned


def percent(fraction: float) -> str:
    """`93.4 %`."""
    return f"{100 * fraction:.1f} %"


def points(difference: float) -> str:
    """A difference of fractions, without its sign: `2.7 points`."""
    return f"{abs(100 * difference):.1f} points"


def loss(value: float) -> str:
    """Three figures: `0.412`, `12.3`."""
    return f"{value:.3g}"


def rate(value: float) -> str:
    """As one writes it in a settings file: `train.lr: 0.0003`; `another train.lr` where it is not known."""
    return f"train.lr: {value:.3g}" if math.isfinite(value) else "another train.lr"


def of_folds(some: int, every: int) -> str:
    """`in 4 of 5 folds`."""
    return "in every fold" if some == every else f"in {some} of {every} folds"


def fold(place: Place) -> str:
    """`fold 3`, and `fold 3 of repeat 1` after the first partition."""
    repeat, index = place
    return f"fold {index} of repeat {repeat}" if repeat else f"fold {index}"


def folds(places: Sequence[Place]) -> str:
    """`fold 3`; `folds 0, 3`; of many the first five."""
    if len(places) == 1:
        return fold(places[0])
    repeated = any(repeat for repeat, _ in places)
    names = [f"{repeat}.{index}" if repeated else str(index) for repeat, index in places]
    return f"folds {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"


def names(listed: Sequence[str]) -> str:
    """Class names, each in quotes; of many the first five and how many more."""
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return ", ".join(f"'{cleaned(name, most=40)}'" for name in listed[:5]) + more
