"""Write and read the `Notice` that says where the time of a fold went, in seconds by part. Pure.

Needs no torch.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from foldproof.events.types import Body, Notice

CODE: Final = "profile"
# What a fold spends its time on, in the order of a table; of nested parts the inner one counts.
PARTS = (
    "start-up",
    "features",
    "batches",
    "forward",
    "backward",
    "step",
    "validation",
    "checkpoints",
    "other",
    "logging",
    "idle",
)
_PART = re.compile(r"([a-z-]+) (\d+\.\d+) s")


def notice(seconds: Mapping[str, float]) -> Notice:
    """What `told` reads."""
    return Notice(code=CODE, text=", ".join(f"{part} {seconds[part]:.4f} s" for part in PARTS if part in seconds))


def told(body: Body) -> Mapping[str, float] | None:
    """Seconds by part, None where the body tells none."""
    if not isinstance(body, Notice) or body.code != CODE:
        return None
    return {part: float(seconds) for part, seconds in _PART.findall(body.text) if part in PARTS}


def sum_folds(folds: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Summed over folds, in the order of a table."""
    kept = list(folds)
    return {part: sum(fold.get(part, 0.0) for fold in kept) for part in PARTS if any(part in fold for fold in kept)}
