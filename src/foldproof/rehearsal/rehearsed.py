"""Hold the results of a rehearsal, step by step, as frozen values. Times in seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.events.types import Notice
from foldproof.plan.preview import Preview


@dataclass(frozen=True)
class Step:
    """Something that a run does, how long it took in seconds, and what went wrong with it, if anything did."""

    name: str
    seconds: float
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What a rehearsal showed. `seconds`: estimated time of the whole; `kept`: its folder, where a step failed."""

    experiments: tuple[str, ...]
    images: int
    steps: tuple[Step, ...]
    whole: Preview
    seconds: float
    kept: Path | None
    notices: tuple[Notice, ...]

    @property
    def is_well(self) -> bool:
        return not any(step.problem for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "v": 1,
            "ok": self.is_well,
            "experiments": list(self.experiments),
            "images": self.images,
            "images_of_all": self.whole.images,
            "steps": [
                {"step": step.name, "ok": not step.problem, "seconds": round(step.seconds, 3), "problem": step.problem}
                for step in self.steps
            ],
            "whole": {**self.whole.to_json(), "seconds": self.seconds},
            "kept": str(self.kept) if self.kept else None,
        }
