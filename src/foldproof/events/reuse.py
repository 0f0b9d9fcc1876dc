"""Say in an event's `about` where the first epochs of a fold come from, and read it back. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from foldproof.config.schema import EXPERIMENT_NAME

KEY = "reuse"
_RUN_ID = re.compile(r"\w[\w.-]{0,99}", re.ASCII)
_MOST_EPOCHS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """The first `epochs` were trained by the same fold of `run`, and this fold continued from their end."""

    run: str
    experiment: str
    epochs: int

    def to_about(self) -> dict[str, Any]:
        return {KEY: asdict(self)}

    def __str__(self) -> str:
        return f"{self.epochs} epoch{'s' if self.epochs > 1 else ''} of {self.experiment}"

    @staticmethod
    def of(about: Mapping[str, Any]) -> "Reuse | None":
        """What `to_about` said; None where nothing is said. Raises ValueError for what no run writes."""
        said = about.get(KEY)
        if said is None:
            return None
        fits = (
            isinstance(said, dict)
            and said.keys() == {"run", "experiment", "epochs"}
            and isinstance(said["run"], str)
            and _RUN_ID.fullmatch(said["run"])
            and isinstance(said["experiment"], str)
            and EXPERIMENT_NAME.fullmatch(said["experiment"])
            and type(said["epochs"]) is int
            and 0 < said["epochs"] < _MOST_EPOCHS
        )
        if not fits:
            raise ValueError("its beginning is of no run")
        return Reuse(**said)


def describe_reuse(reused: Iterable[Reuse], *, folds: int) -> str:
    """`2 epochs of FirstRun`, what most folds begin with; empty where none begins with epochs of other runs."""
    counted = Counter(map(str, reused)).most_common(1)
    if not counted:
        return ""
    ((said, count),) = counted
    return said if count == folds else f"{said} in {count} of {folds} folds"
