"""Hold the results of checks, level by level, as frozen values. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["holds", "broken", "not here"]
SCHEMA_VERSION = 1
TITLES = ("the record", "weights and images", "an epoch again")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise that was checked. `problems`: where it does not hold; `said`: what was seen, or why it was not."""

    name: str
    state: State
    said: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Level:
    """Level 0: only the record; 1: with weights and images; 2: with one epoch retrained."""

    number: int
    title: str
    checks: tuple[Check, ...]
    seconds: float

    @property
    def state(self) -> State:
        """Broken where one check is; not here where none could be made."""
        states = {check.state for check in self.checks}
        return "broken" if "broken" in states else ("holds" if "holds" in states else "not here")


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The levels that were checked, in order."""

    run: str
    experiment: str
    levels: tuple[Level, ...]
    training_seconds: float | None

    @property
    def is_sound(self) -> bool:
        """Whether nothing that was checked is broken."""
        return all(level.state != "broken" for level in self.levels)

    @property
    def verdict(self) -> str:
        """In one line: how far the record holds, or the first level that does not."""
        broken = next((level for level in self.levels if level.state == "broken"), None)
        if broken is not None:
            count = sum(len(check.problems) for check in broken.checks)
            return f"DOES NOT HOLD at L{broken.number} ({broken.title}): {count} problem{'s' if count != 1 else ''}"
        held = [f"L{level.number}" for level in self.levels if level.state == "holds"]
        return f"HOLDS: {', '.join(held)}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "v": SCHEMA_VERSION,
            "run": self.run,
            "experiment": self.experiment,
            "verdict": self.verdict,
            "sound": self.is_sound,
            "training_seconds": self.training_seconds,
            "rungs": [
                {
                    "level": level.number,
                    "title": level.title,
                    "state": level.state,
                    "seconds": level.seconds,
                    "checks": [asdict(check) for check in level.checks],
                }
                for level in self.levels
            ],
        }


def checked(name: str, problems: list[str], said: str) -> Check:
    """Holds where there are no problems."""
    return Check(name=name, state="broken" if problems else "holds", said=said, problems=tuple(problems))


def not_here(name: str, why: str) -> Check:
    """Could not be made, and why."""
    return Check(name=name, state="not here", said=why)
