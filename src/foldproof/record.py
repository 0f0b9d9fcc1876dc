"""`RunRecord`: replay the journals of a run into what it amounted to. Pure but for reading the files."""

import json
import math
import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.errors import DamagedFile
from foldproof.events import journal
from foldproof.events.types import (
    EpochFinished,
    Event,
    FoldFailed,
    FoldFinished,
    FoldResumed,
    FoldStarted,
    Notice,
    RunFinished,
    RunStarted,
)

SCHEMA_VERSION = 1
Place = tuple[int, int]
_FOLD_FOLDER = re.compile(r"fold-([0-9]+)-([0-9]+)")


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over `n` folds; the deviation of one fold is not known (nan)."""

    mean: float
    sd: float
    n: int

    @staticmethod
    def of(values: Iterable[float]) -> "Spread":
        known = tuple(values)
        return Spread(
            mean=math.fsum(known) / len(known) if known else math.nan,
            sd=statistics.stdev(known) if len(known) > 1 and all(map(math.isfinite, known)) else math.nan,
            n=len(known),
        )


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run replayed. Dictionaries are keyed by (repeat, fold), in that order; epochs count from 1."""

    folder: Path
    facts: Mapping[str, Any]
    started: RunStarted | None
    started_at: float | None
    ended_at: float | None
    status: str
    fold_started: Mapping[Place, FoldStarted]
    epochs: Mapping[Place, tuple[EpochFinished, ...]]
    finished: Mapping[Place, FoldFinished]
    failed: Mapping[Place, FoldFailed]
    notices: tuple[Notice, ...]

    @staticmethod
    def read(folder: Path) -> "RunRecord":
        """The run in `folder`. Raises DamagedFile where run.json or a journal does not check."""
        return replay(folder, read_facts(folder), read_events(folder))

    @property
    def run(self) -> str:
        return str(self.facts["run"])

    @property
    def experiment(self) -> str:
        return str(self.facts["experiment"])

    @property
    def identity(self) -> str:
        return str(self.facts["identity"])

    @property
    def complete(self) -> bool:
        """Whether every fold of every repeat has finished."""
        folds = self.facts["config"]["folds"]
        return len(self.finished) == int(folds["k"] * folds["repeats"])

    @property
    def last_accuracy(self) -> Spread:
        """Validation accuracy at the last epoch, over the finished folds."""
        return Spread.of(self.epochs[place][-1].val_accuracy for place in self.finished)

    @property
    def last_loss(self) -> Spread:
        """Validation loss at the last epoch, over the finished folds."""
        return Spread.of(self.epochs[place][-1].val_loss for place in self.finished)

    @property
    def best_epoch_accuracy(self) -> Spread:
        """Validation accuracy at each fold's own best epoch: optimistic, since the fold chose its epoch."""
        return Spread.of(max(e.val_accuracy for e in self.epochs[place]) for place in self.finished)

    @property
    def best_epoch_loss(self) -> Spread:
        """Validation loss at each fold's own best epoch: optimistic in the same way."""
        return Spread.of(min(e.val_loss for e in self.epochs[place]) for place in self.finished)

    def by_epoch(self, quantity: str) -> tuple[Spread, ...]:
        """A quantity of EpochFinished, such as "val_loss", over the folds, for each epoch that every fold has."""
        folds = self.facts["config"]["folds"]
        if len(self.epochs) < folds["k"] * folds["repeats"]:
            return ()
        return tuple(
            Spread.of(getattr(epoch, quantity) for epoch in across)
            for across in zip(*self.epochs.values(), strict=False)
        )


def read_facts(folder: Path) -> Mapping[str, Any]:
    """The content of run.json. Raises DamagedFile where it is not one this version can read."""
    file = folder / "run.json"
    try:
        facts = json.loads(file.read_bytes())
        if facts["v"] > SCHEMA_VERSION:
            raise DamagedFile(f"{file} is of a newer schema, {facts['v']}", next_step="read it with a newer foldproof")
        facts["run"], facts["experiment"], facts["identity"], facts["config"]["folds"]["k"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{file} cannot be read: {error!r}", next_step="restore it from a copy") from error
    return dict(facts)


def read_events(folder: Path) -> tuple[Event, ...]:
    """The events of the run and of all its folds, journal by journal: the run's first, then by repeat and fold."""
    events = list(journal.read(folder / journal.FILE_NAME))
    for repeat, fold in sorted(places(folder)):
        events += journal.read(fold_folder(folder, repeat, fold) / journal.FILE_NAME)
    return tuple(events)


def fold_folder(folder: Path, repeat: int, fold: int) -> Path:
    """Where a fold of the run in `folder` writes."""
    return folder / f"fold-{repeat}-{fold}"


def places(folder: Path) -> tuple[Place, ...]:
    """(repeat, fold) of the folds that have a folder."""
    found = []
    for path in folder.iterdir():
        match = _FOLD_FOLDER.fullmatch(path.name)
        if match:
            found.append((int(match[1]), int(match[2])))
    return tuple(found)


def replay(folder: Path, facts: Mapping[str, Any], events: Iterable[Event]) -> RunRecord:
    """What the events amount to. A fold that failed and was tried again counts by its last attempt."""
    started: RunStarted | None = None
    started_at = ended_at = None
    status = "running"
    fold_started: dict[Place, FoldStarted] = {}
    epochs: dict[Place, list[EpochFinished]] = {}
    finished: dict[Place, FoldFinished] = {}
    failed: dict[Place, FoldFailed] = {}
    notices: list[Notice] = []
    for event in events:
        place = event.place
        match event.body:
            case RunStarted() as body:
                started, status, ended_at = body, "running", None
                started_at = event.time if started_at is None else started_at
            case RunFinished(status=ended):
                status, ended_at = ended, event.time
            case Notice() as body:
                notices.append(body)
            case FoldStarted() as body if place:
                fold_started[place] = body
                epochs[place] = []
                failed.pop(place, None)
            case FoldResumed() if place:
                failed.pop(place, None)
            case EpochFinished() as body if place:
                epochs.setdefault(place, []).append(body)
            case FoldFinished() as body if place:
                finished[place] = body
            case FoldFailed() as body if place:
                failed[place] = body
    return RunRecord(
        folder=folder,
        facts=facts,
        started=started,
        started_at=started_at,
        ended_at=ended_at,
        status=status,
        fold_started=fold_started,
        epochs={place: tuple(epochs[place]) for place in sorted(epochs)},
        finished={place: finished[place] for place in sorted(finished)},
        failed=failed,
        notices=tuple(notices),
    )
