"""Record what happens to planned runs in their journals and tell the trackers."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from foldproof.errors import StorageError
from foldproof.events.journal import JournalWriter
from foldproof.events.types import Body, Event, FoldFailed, FoldFinished, Notice, RunFinished, RunStarted
from foldproof.plan.planned import PlannedRun
from foldproof.provenance.machine import describe_process
from foldproof.records.record import RunRecord
from foldproof.trackers import Tracker

SHARED_WAIT_SECONDS = 60.0


class Recorder:
    """Starts and ends the journal of every run that has work to do, and holds it meanwhile.

    Leaving it records runs that have not ended as interrupted. A shared run's journal is held for a moment only, and
    ends with whoever trains its last fold.
    """

    def __init__(self, planned: Sequence[PlannedRun], trackers: Sequence[Tracker]) -> None:
        self._planned = {item.run: item for item in planned if item.has_work}
        self._trackers = tuple(trackers)
        self._waiting = {run: len(item.tasks) for run, item in self._planned.items()}
        self._failed: set[str] = set()
        self._held = ExitStack()
        self._journals: dict[str, JournalWriter] = {}
        self.statuses: dict[Path, str] = {
            item.folder: item.begun.record.status
            for item in planned
            if item.begun is not None and item.run not in self._planned
        }

    def __enter__(self) -> Self:
        for run, item in self._planned.items():
            if not item.shared:
                self._journals[run] = self._held.enter_context(_writer(item))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            for run, item in self._planned.items():
                if item.folder not in self.statuses:
                    self.statuses[item.folder] = "interrupted"
                    if not item.shared:
                        with suppress(StorageError):  # on a full disk the run has no end, and can go on all the same
                            self._append(run, RunFinished(status="interrupted"))

    def begin(self, notices: Sequence[Notice]) -> None:
        """Record that every run started, and what is known of them so far."""
        for run, item in self._planned.items():
            body = RunStarted(
                experiment=item.config.name,
                identity=item.identity,
                fingerprint=item.fingerprint,
                folds=item.config.folds.k,
                repeats=item.config.folds.repeats,
                epochs=item.config.train.epochs,
            )
            self._append(run, body)
            for notice in (*notices, *item.notices):
                self._append(run, notice)
            if not item.tasks:
                self._end(run)

    def record(self, event: Event) -> None:
        """Pass on what happened to a fold; with its last fold a run ends."""
        self._tell(event)
        if isinstance(event.body, FoldFailed):
            self._failed.add(event.run)
        if isinstance(event.body, FoldFinished | FoldFailed):
            self._waiting[event.run] -= 1
            if self._waiting[event.run] == 0:
                self._end(event.run)

    @property
    def ended(self) -> tuple[Path, ...]:
        """The folders of the runs of which this process has trained all that it was to train."""
        return tuple(item.folder for item in self._planned.values() if item.folder in self.statuses)

    def add(self, folder: Path, body: Body) -> None:
        """Record what was made of a run after its end, such as its report."""
        self._append(folder.name, body)

    def _end(self, run: str) -> None:
        item = self._planned[run]
        self.statuses[item.folder] = "failed" if run in self._failed else "finished"
        if not item.shared:
            self._append(run, RunFinished(status=self.statuses[item.folder]))
            return
        record = RunRecord.read(item.folder)
        ended = record.finished.keys() | record.failed.keys()
        if len(ended) == item.config.folds.k * item.config.folds.repeats and record.status == "running":
            self._append(run, RunFinished(status="failed" if record.failed else "finished"))

    def _append(self, run: str, body: Body) -> None:
        if run in self._journals:
            self._tell(self._journals[run].append(body))
            return
        with _writer(self._planned[run], wait_seconds=SHARED_WAIT_SECONDS) as journal:
            self._tell(journal.append(body))

    def _tell(self, event: Event) -> None:
        for tracker in self._trackers:
            tracker.tell(event)


def _writer(item: PlannedRun, *, wait_seconds: float = 1.0) -> JournalWriter:
    return JournalWriter(item.folder, run=item.run, about=describe_process(), wait_seconds=wait_seconds)
