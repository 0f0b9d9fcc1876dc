"""Read what a run's folder says now; later looks read only journals that have grown."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from foldproof.data.checks.card import DATA_CARD
from foldproof.errors import DamagedFile
from foldproof.events import journal
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Event
from foldproof.records.facts import read_facts
from foldproof.records.record import RunRecord, fold_ids, read_journal, replay
from foldproof.storage import read_json_inside

MOST_BYTES = 64 * 2**20  # of environment.json, which names every file that is not as it was versioned
MOST_CARD_BYTES = 8 * 2**20


@dataclass(frozen=True)
class RunContent:
    """All that a projection depends on. `by_fold` holds the events of each fold, `events` those of the run itself."""

    folder: Path
    facts: Mapping[str, Any]
    environment: Mapping[str, Any]
    card: Mapping[str, Any]
    events: tuple[Event, ...]
    by_fold: Mapping[FoldId, tuple[Event, ...]]
    record: RunRecord

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.facts["classes"])

    @property
    def last_event(self) -> Event:
        """The newest event of the run and its folds."""
        return max(chain(self.events, *self.by_fold.values()), key=attrgetter("time"))


class RunReader:
    """Reads a run's folder again and again. Raises DamagedFile where run.json or a journal does not check."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[Path, tuple[int, int]] = {}
        self._events: dict[FoldId | None, tuple[Event, ...]] = {}

    def look(self) -> bool:
        """Read what is new. Whether anything was."""
        news = [self._follow(None, self.folder)]
        news += [self._follow(fold_id, fold_id.folder(self.folder)) for fold_id in sorted(fold_ids(self.folder))]
        return any(news)

    def content(self) -> RunContent | None:
        """What the last look saw; None where the run has not begun."""
        events = self._events.get(None, ())
        if not events:
            return None
        facts, environment, card = self._written_once
        by_fold = {fold_id: self._events[fold_id] for fold_id in sorted(p for p in self._events if p is not None)}
        everything = (*events, *(event for told in by_fold.values() for event in told))
        record = replay(self.folder, facts, everything)
        return RunContent(self.folder, facts, environment, card, events, by_fold, record)

    def _follow(self, fold_id: FoldId | None, folder: Path) -> bool:
        path = folder / journal.FILE_NAME
        try:
            state = path.stat()
            size_and_time = (state.st_size, state.st_mtime_ns)
            if self._seen.get(path) == size_and_time:
                return False
            events = read_journal(self.folder, fold_id)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DamagedFile(f"{path} cannot be read: {error.strerror}", next_step="fix the permissions") from error
        news = events != self._events.get(fold_id, ())
        self._seen[path], self._events[fold_id] = size_and_time, events
        return news

    @cached_property
    def _written_once(self) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
        return read_facts(self.folder), _environment(self.folder), _card(self.folder)


def _environment(folder: Path) -> Mapping[str, Any]:
    name = "environment.json"
    try:
        said = read_json_inside(folder, name, most_bytes=MOST_BYTES)
    except FileNotFoundError:
        return {}
    for key in ("git", "data", "numeric_class", "tags"):
        _demand(folder / name, key, isinstance(said.get(key) or {}, dict))
    _demand(folder / name, "command", isinstance(said.get("command") or [], list))
    return said


def _card(folder: Path) -> Mapping[str, Any]:
    try:
        card = read_json_inside(folder, DATA_CARD, most_bytes=MOST_CARD_BYTES)
        findings = card["findings"]
        _demand(folder / DATA_CARD, "classes", isinstance(card["classes"], dict))
        _demand(folder / DATA_CARD, "findings", all(type(item["count"]) is int for item in findings.values()))
    except FileNotFoundError:
        return {}
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(
            f"{folder / DATA_CARD} cannot be read: no data card", next_step="restore it from a copy, or leave it out"
        ) from error
    return card


def _demand(path: Path, name: str, fits: bool) -> None:
    if not fits:
        raise DamagedFile(
            f"{path} cannot be read: {name} is not as a run writes it",
            next_step="restore it from a copy, or leave it out",
        )
