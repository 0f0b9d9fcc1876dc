"""Replay the journals of a run into a `RunRecord`. Pure but for reading the files."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from foldproof.errors import DamagedFile
from foldproof.events import journal
from foldproof.events.fold_id import FoldId
from foldproof.events.reuse import Reuse, describe_reuse
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
from foldproof.records.facts import SCHEMA_VERSION as SCHEMA_VERSION
from foldproof.records.facts import Described, read_facts
from foldproof.storage import is_folder_here

REPORT_FOLDER = "report"  # of a run's folder: what was made of the record for people
PRIVATE_REPORT_FOLDER = "report-private"  # the same without pictures, paths and groups
STATUSES = ("finished", "failed", "interrupted")
_T = TypeVar("_T")
_MOST_SECONDS = 1e11  # since 1970; the year 5138
_MOST_EPOCHS = 1_000_000
_MOST_COUNT = 2**53
_MOST_SCORES = 1000
_MOST_KEY = 200  # characters


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
class RunRecord(Described):
    """A run replayed. Dictionaries are keyed by (repeat, fold), in that order; epochs count from 1."""

    folder: Path
    facts: Mapping[str, Any]
    started: RunStarted | None
    started_at: float | None
    ended_at: float | None
    status: str
    fold_started: Mapping[FoldId, FoldStarted]
    epochs: Mapping[FoldId, tuple[EpochFinished, ...]]
    finished: Mapping[FoldId, FoldFinished]
    failed: Mapping[FoldId, FoldFailed]
    notices: tuple[Notice, ...]
    fold_seconds: Mapping[FoldId, float] = field(default_factory=dict)  # of training, interruptions left out
    fold_keys: Mapping[FoldId, str] = field(default_factory=dict)  # of the finished folds, where they are recorded
    reused: Mapping[FoldId, Reuse] = field(default_factory=dict)  # where the first epochs of a fold come from

    @staticmethod
    def read(folder: Path) -> "RunRecord":
        """The run in `folder`. Raises DamagedFile where run.json or a journal does not check."""
        return replay(folder, read_facts(folder), read_events(folder))

    @property
    def run(self) -> str:
        return str(self.facts["run"])

    @property
    def expected_folds(self) -> int:
        """How many folds it has when it is done: all of every repeat, or the one that was trained again."""
        folds = self.facts["config"]["folds"]
        return 1 if self.reseed else int(folds["k"] * folds["repeats"])

    @property
    def begins_with(self) -> str:
        """`2 epochs of FirstRun`, the first of most folds that have begun; empty where all were trained here."""
        return describe_reuse(self.reused.values(), folds=len(self.fold_started))

    @property
    def complete(self) -> bool:
        """Whether every fold of every repeat has finished."""
        folds = self.facts["config"]["folds"]
        return len(self.finished) == int(folds["k"] * folds["repeats"])

    @property
    def seconds(self) -> float | None:
        """Training time of the finished folds together; None where it is not known of all."""
        known = [self.fold_seconds[fold_id] for fold_id in self.finished if fold_id in self.fold_seconds]
        return math.fsum(known) if known and len(known) == len(self.finished) else None

    @property
    def last_accuracy(self) -> Spread:
        """Validation accuracy at the last epoch, over the finished folds."""
        return Spread.of(self.epochs[fold_id][-1].val_accuracy for fold_id in self.finished)

    @property
    def last_loss(self) -> Spread:
        """Validation loss at the last epoch, over the finished folds."""
        return Spread.of(self.epochs[fold_id][-1].val_loss for fold_id in self.finished)

    @property
    def best_epoch_accuracy(self) -> Spread:
        """Validation accuracy at each fold's own best epoch: optimistic, since the fold chose its epoch."""
        return Spread.of(max(e.val_accuracy for e in self.epochs[fold_id]) for fold_id in self.finished)

    @property
    def best_epoch_loss(self) -> Spread:
        """Validation loss at each fold's own best epoch: optimistic in the same way."""
        return Spread.of(min(e.val_loss for e in self.epochs[fold_id]) for fold_id in self.finished)

    def by_epoch(self, quantity: str) -> tuple[Spread, ...]:
        """A quantity of EpochFinished, such as "val_loss", over the folds, for each epoch that every fold has."""
        folds = self.facts["config"]["folds"]
        if len(self.epochs) < folds["k"] * folds["repeats"]:
            return ()
        return tuple(
            Spread.of(getattr(epoch, quantity) for epoch in across)
            for across in zip(*self.epochs.values(), strict=False)
        )


def read_events(folder: Path) -> tuple[Event, ...]:
    """The events of the run and of all its folds, journal by journal: the run's first, then by repeat and fold.

    Raises DamagedFile where a journal does not check, or is not that of the fold where it stands.
    """
    events = list(read_journal(folder, None))
    for fold_id in sorted(fold_ids(folder)):
        events += read_journal(folder, fold_id)
    return tuple(events)


def read_journal(folder: Path, fold_id: FoldId | None) -> tuple[Event, ...]:
    """The events of a fold's journal, or with None of the run's own; none where there is none. Raises DamagedFile."""
    within = folder if fold_id is None else fold_id.folder(folder)
    path = within / journal.FILE_NAME
    try:
        events = journal.read(path)
        for event in events:
            _check_event(event, fold_id)
    except (ValueError, OverflowError) as error:
        raise DamagedFile(
            f"{path} is not the journal of this fold: {error}", next_step="restore it from a copy, or leave it out"
        ) from error
    return events


def _check_event(event: Event, fold_id: FoldId | None) -> None:
    """Raises ValueError for what no run writes: times, processes and epochs that cannot be, another fold's event."""
    if (event.repeat, event.fold) != (fold_id or (None, None)):
        raise ValueError(f"event {event.seq} is of repeat {event.repeat}, fold {event.fold}")
    if not 0 <= event.time < _MOST_SECONDS:
        raise ValueError(f"event {event.seq} has the time {event.time}")
    pid = event.about.get("pid")
    if pid is not None and not (type(pid) is int and 0 < pid < 2**31):
        raise ValueError(f"event {event.seq} is of no process")
    key = event.about.get("fold_key", "")
    if not (isinstance(key, str) and len(key) <= _MOST_KEY and key.isprintable()):
        raise ValueError(f"event {event.seq} has no key of a fold")
    Reuse.of(event.about)
    match event.body:
        case EpochFinished(epoch=epochs, steps=steps):
            fits = 0 < epochs < _MOST_EPOCHS and 0 <= steps < _MOST_COUNT
        case FoldStarted() as body:
            counts = (body.train_images, body.validation_images, body.parameters, body.trained_parameters)
            fits = all(0 <= count < _MOST_COUNT for count in counts)
        case FoldFinished(epochs=epochs, scores=scores):
            fits = 0 < epochs < _MOST_EPOCHS and len(scores) <= _MOST_SCORES
        case RunFinished(status=status):
            fits = status in STATUSES
        case _:
            fits = True
    if not fits:
        raise ValueError(f"event {event.seq} has values that no run writes")


def fold_ids(folder: Path) -> tuple[FoldId, ...]:
    """The folds that have a folder in the run's. Raises DamagedFile where one is a link to elsewhere."""
    named = {path: FoldId.of_folder(path.name) for path in folder.iterdir()}
    return tuple(fold_id for path, fold_id in named.items() if fold_id and is_folder_here(path))


def _check_trained(folder: Path, finished: Iterable[FoldId], epochs: Mapping[FoldId, Sequence[EpochFinished]]) -> None:
    for fold_id in finished:
        if not epochs.get(fold_id):
            raise DamagedFile(
                f"{folder}: {fold_id} finished without an epoch",
                next_step="restore its journal from a copy, or leave it out",
            )


def replay(folder: Path, facts: Mapping[str, Any], events: Iterable[Event]) -> RunRecord:
    """Replay events into a record. A fold that failed and was retried counts by its last attempt.

    Raises DamagedFile where a fold ended that never trained.
    """
    started: RunStarted | None = None
    started_at = ended_at = None
    status = "running"
    fold_started: dict[FoldId, FoldStarted] = {}
    epochs: dict[FoldId, list[EpochFinished]] = {}
    finished: dict[FoldId, FoldFinished] = {}
    failed: dict[FoldId, FoldFailed] = {}
    notices: list[Notice] = []
    fold_keys: dict[FoldId, str] = {}
    reused: dict[FoldId, Reuse | None] = {}
    clock = _Clock()
    for event in events:
        fold_id = event.fold_id
        clock.see(event)
        match event.body:
            case RunStarted() as body:
                started, status, ended_at = body, "running", None
                started_at = event.time if started_at is None else started_at
            case RunFinished(status=ended):
                status, ended_at = ended, event.time
            case Notice() as body:
                notices.append(body)
            case FoldStarted() as body if fold_id:
                fold_started[fold_id] = body
                epochs[fold_id] = []
                failed.pop(fold_id, None)
                finished.pop(fold_id, None)
                reused[fold_id] = Reuse.of(event.about)
            case FoldResumed() if fold_id:
                failed.pop(fold_id, None)
            case EpochFinished() as body if fold_id:
                epochs.setdefault(fold_id, []).append(body)
            case FoldFinished() as body if fold_id:
                finished[fold_id] = body
                fold_keys[fold_id] = str(event.about.get("fold_key", ""))
            case FoldFailed() as body if fold_id:
                failed[fold_id] = body
    _check_trained(folder, finished, epochs)
    return RunRecord(
        folder=folder,
        facts=facts,
        started=started,
        started_at=started_at,
        ended_at=ended_at,
        status=status,
        fold_started=fold_started,
        epochs={fold_id: tuple(epochs[fold_id]) for fold_id in sorted(epochs)},
        finished={fold_id: finished[fold_id] for fold_id in sorted(finished)},
        failed=failed,
        notices=tuple(notices),
        fold_seconds=clock.seconds,
        fold_keys={fold_id: fold_keys[fold_id] for fold_id in finished},
        reused={fold_id: whose for fold_id, whose in sorted(reused.items()) if whose is not None},
    )


class _Clock:
    """Adds up how long each fold was trained: from a start or a resumption to the last event before the next."""

    def __init__(self) -> None:
        self._before: dict[FoldId, float] = {}
        self._since: dict[FoldId, float] = {}
        self.seconds: dict[FoldId, float] = {}

    def see(self, event: Event) -> None:
        fold_id = event.fold_id
        if fold_id is None:
            return
        if isinstance(event.body, FoldStarted | FoldResumed):
            self._before[fold_id] = self.seconds.get(fold_id, 0.0) if isinstance(event.body, FoldResumed) else 0.0
            self._since[fold_id] = event.time
        if fold_id in self._since:
            self.seconds[fold_id] = self._before[fold_id] + max(event.time - self._since[fold_id], 0.0)
