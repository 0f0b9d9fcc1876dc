"""Hold what a look at a stranger's folder found, as frozen values. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["runs", "sends", "leads out", "trusted", "waits", "note"]
SCHEMA_VERSION = 1
MOST_OF_A_KIND = 20  # findings that say the same of different files


@dataclass(frozen=True)
class Suspect:
    """`where` a thing stands, `what` it is, and the `effect` that using the folder would have.

    `trusted`: a program would take it for its own or for an installed one. `waits`: reading it may never end. A `note`
    is worth knowing and does nothing by itself.
    """

    kind: Kind
    where: str
    what: str
    effect: str


@dataclass(frozen=True)
class Look:
    """All findings, the worst first. `unseen`: what could not be looked at, and why."""

    folder: str
    findings: tuple[Suspect, ...]
    unseen: tuple[str, ...] = ()

    @property
    def is_harmless(self) -> bool:
        return not self.unseen and all(finding.kind == "note" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """In one line."""
        if self.unseen:
            return "not everything could be looked at: do not take the rest for harmless"
        worth = sum(finding.kind != "note" for finding in self.findings)
        if not worth:
            return "nothing found that would run, send or lead elsewhere"
        return f"{worth} thing{'s' if worth > 1 else ''} to look at before this folder is used"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "v": SCHEMA_VERSION,
            "folder": self.folder,
            "harmless": self.is_harmless,
            "verdict": self.verdict,
            "findings": [asdict(finding) for finding in self.findings],
            "unseen": list(self.unseen),
        }


_ORDER: dict[str, int] = {kind: number for number, kind in enumerate(get_args(Kind))}


def ordered(findings: Iterable[Suspect]) -> Iterator[Suspect]:
    """The worst first; of many that have the same effect the first few and how many more there are."""

    def place(finding: Suspect) -> tuple[int, str, str]:
        return _ORDER[finding.kind], finding.effect, finding.where

    for _, group in groupby(sorted(dict.fromkeys(findings), key=place), key=lambda one: (one.kind, one.effect)):
        same = list(group)
        yield from same[:MOST_OF_A_KIND]
        if len(same) > MOST_OF_A_KIND:
            last = same[MOST_OF_A_KIND]
            yield Suspect(last.kind, f"and {len(same) - MOST_OF_A_KIND:,} more places", "the same", last.effect)
