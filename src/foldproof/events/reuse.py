"""Where the first epochs of a fold come from: what an event's `about` says of it in, a `Reuse` out, and back. Pure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from foldproof.config.schema import EXPERIMENT_NAME

KEY = "reuse"
_RUN_ID = re.compile(r"\w[\w.-]{0,99}", re.ASCII)
_MOST_EPOCHS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """The first `epochs` are those of the same fold of another run, whose end was gone on from."""

    run: str
    experiment: str
    epochs: int

    def to_about(self) -> dict[str, Any]:
        return {KEY: asdict(self)}

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
