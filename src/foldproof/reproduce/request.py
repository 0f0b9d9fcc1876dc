"""Hold the options of `foldproof reproduce` as frozen values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from foldproof.plan.tasks import Selection

Env: TypeAlias = Literal["auto", "here", "rebuild"]
DEFAULT_TOLERANCE = 0.01  # of accuracy, with different arithmetic


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a run: which folds, how many epochs, with what, and how near is near enough.

    `as_is`: with the project's code, images and settings as they are now. `from_epoch`: from the stored state before
    that epoch. `env`: `auto` is here where the packages that matter agree. `keep`: where the new run's folder is to
    stay.
    """

    folds: Selection | None = None
    epochs: int | None = None
    from_epoch: int = 1
    env: Env = "auto"
    as_is: bool = False
    trust_code: bool = False
    tolerance: float = DEFAULT_TOLERANCE
    keep: Path | None = None
