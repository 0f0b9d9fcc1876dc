"""Format numbers for sentences: percent, points, losses, folds. Pure."""

import math
from collections.abc import Sequence

from foldproof.events.fold_id import FoldId
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


def phrase_folds(some: int, every: int) -> str:
    """`in 4 of 5 folds`."""
    return "in every fold" if some == every else f"in {some} of {every} folds"


def folds(fold_ids: Sequence[FoldId]) -> str:
    """`fold 3`; `folds 0, 3`; of many the first five."""
    if len(fold_ids) == 1:
        return str(fold_ids[0])
    repeats = 1 + max(fold_id.repeat for fold_id in fold_ids)
    names = [fold_id.short(repeats=repeats) for fold_id in fold_ids]
    return f"folds {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"


def names(listed: Sequence[str]) -> str:
    """Class names, each in quotes; of many the first five and how many more."""
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return ", ".join(f"'{cleaned(name, most=40)}'" for name in listed[:5]) + more
