"""Hold what one look at a project found, as frozen values. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["ok", "note", "bad"]
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ProjectCheck:
    """`bad`: a run started now could not be reproduced, or would not start; `note`: worth knowing."""

    name: str
    state: State
    said: str
    next_step: str = ""


def ok(name: str, said: str) -> ProjectCheck:
    return ProjectCheck(name, "ok", said)


def note(name: str, said: str, next_step: str) -> ProjectCheck:
    return ProjectCheck(name, "note", said, next_step)


def bad(name: str, said: str, next_step: str) -> ProjectCheck:
    return ProjectCheck(name, "bad", said, next_step)


@dataclass(frozen=True)
class Examination:
    """All checks, in the order in which to fix them."""

    checks: tuple[ProjectCheck, ...]

    @property
    def is_fit(self) -> bool:
        return all(check.state != "bad" for check in self.checks)

    @property
    def verdict(self) -> str:
        """In one line."""
        count = sum(check.state == "bad" for check in self.checks)
        if not count:
            return "a run started now could be reproduced"
        return f"a run started now could not be reproduced yet: {count} thing{'s' if count > 1 else ''} to fix"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "v": SCHEMA_VERSION,
            "fit": self.is_fit,
            "verdict": self.verdict,
            "checks": [asdict(check) for check in self.checks],
        }
