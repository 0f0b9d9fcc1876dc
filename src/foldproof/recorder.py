"""The journals of the runs themselves: planned runs and what befalls their folds in, records and told trackers out."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from foldproof.events.journal import JournalWriter
from foldproof.events.types import Event, FoldFailed, FoldFinished, Notice, RunFinished, RunStarted
from foldproof.plan import Planned
from foldproof.provenance.machine import about_process
from foldproof.trackers import Tracker


class Recorder:
    """Starts and ends the journal of every run. Leaving it records those that have not ended as interrupted."""

    def __init__(self, planned: Sequence[Planned], trackers: Sequence[Tracker]) -> None:
        self._planned = {item.run: item for item in planned}
        self._trackers = tuple(trackers)
        self._waiting = {item.run: len(item.tasks) for item in planned}
        self._failed: set[str] = set()
        self._held = ExitStack()
        self.statuses: dict[Path, str] = {}

    def __enter__(self) -> Self:
        self._journals = {
            run: self._held.enter_context(JournalWriter(item.folder, run=run, about=about_process()))
            for run, item in self._planned.items()
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            for run, item in self._planned.items():
                if item.folder not in self.statuses:
                    self._end(run, "interrupted")

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
            self._tell(self._journals[run].append(body))
            for notice in (*notices, *item.notices):
                self._tell(self._journals[run].append(notice))

    def hear(self, event: Event) -> None:
        """Pass on what happened to a fold; with its last fold a run ends."""
        self._tell(event)
        if isinstance(event.body, FoldFailed):
            self._failed.add(event.run)
        if isinstance(event.body, FoldFinished | FoldFailed):
            self._waiting[event.run] -= 1
            if self._waiting[event.run] == 0:
                self._end(event.run, "failed" if event.run in self._failed else "finished")

    def _end(self, run: str, status: str) -> None:
        self.statuses[self._planned[run].folder] = status
        self._tell(self._journals[run].append(RunFinished(status=status)))

    def _tell(self, event: Event) -> None:
        for tracker in self._trackers:
            tracker.tell(event)
