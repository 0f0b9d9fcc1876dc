"""The folder of a run in, what it says now out; asked again, only journals that have grown are read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.data.checks.card import DATA_CARD
from foldproof.errors import DamagedFile
from foldproof.events import journal
from foldproof.events.types import Event
from foldproof.record import Place, RunRecord, fold_folder, places, read_facts, replay

_RUN_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class RunContent:
    """All that a projection depends on. `by_place` holds the events of each fold, `events` those of the run itself."""

    folder: Path
    facts: Mapping[str, Any]
    environment: Mapping[str, Any]
    card: Mapping[str, Any]
    events: tuple[Event, ...]
    by_place: Mapping[Place, tuple[Event, ...]]
    record: RunRecord

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.facts["classes"])

    @property
    def last_event(self) -> Event:
        """The newest event of the run and its folds."""
        return max((*self.events, *(event for events in self.by_place.values() for event in events)), key=_time)


def _time(event: Event) -> float:
    return event.time


class RunReader:
    """Reads a run's folder again and again. Raises DamagedFile where run.json or a journal does not check."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._facts: Mapping[str, Any] | None = None
        self._environment: Mapping[str, Any] = {}
        self._card: Mapping[str, Any] = {}
        self._seen: dict[Path, tuple[int, int]] = {}
        self._events: dict[Place | None, tuple[Event, ...]] = {}

    def look(self) -> bool:
        """Read what is new. Whether anything was."""
        news = [self._follow(None, self.folder)]
        news += [self._follow(place, fold_folder(self.folder, *place)) for place in sorted(places(self.folder))]
        return any(news)

    def content(self) -> RunContent | None:
        """What the last look saw; None where the run has not begun."""
        events = self._events.get(None, ())
        if not events:
            return None
        facts = self._read_facts()
        by_place = {place: self._events[place] for place in sorted(p for p in self._events if p is not None)}
        everything = (*events, *(event for told in by_place.values() for event in told))
        record = replay(self.folder, facts, everything)
        return RunContent(self.folder, facts, self._environment, self._card, events, by_place, record)

    def _follow(self, place: Place | None, folder: Path) -> bool:
        path = folder / journal.FILE_NAME
        try:
            state = path.stat()
            size_and_time = (state.st_size, state.st_mtime_ns)
            if self._seen.get(path) == size_and_time:
                return False
            events = journal.read(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DamagedFile(f"{path} cannot be read: {error.strerror}", next_step="mend the permissions") from error
        news = events != self._events.get(place, ())
        self._seen[path], self._events[place] = size_and_time, events
        return news

    def _read_facts(self) -> Mapping[str, Any]:
        if self._facts is None:
            facts = read_facts(self.folder)
            if not _RUN_ID.fullmatch(str(facts["run"])):
                raise DamagedFile(f"{self.folder / 'run.json'} names a run {facts['run']!r}", next_step="do not use it")
            self._environment = _read_json(self.folder / "environment.json")
            self._card = _read_json(self.folder / DATA_CARD)
            self._facts = facts
        return self._facts


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DamagedFile(f"{path} cannot be read: {error}", next_step="restore it from a copy") from error
    return content if isinstance(content, dict) else {}
