"""Bring MLflow to what a run's folder says; may be repeated, interrupted and replayed."""

from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from foldproof.errors import DamagedFile, StorageError, TrackingError
from foldproof.events.fold_id import FoldId
from foldproof.events.journal import is_written
from foldproof.records.record import fold_ids
from foldproof.storage import is_held, locked, redact, regular_inside
from foldproof.trackers.mlflow.apply import MlflowRun, create_run_for, find_runs, is_settled
from foldproof.trackers.mlflow.desired_runs import PARENT, desired_runs
from foldproof.trackers.mlflow.run_folder import RunContent, RunReader
from foldproof.trackers.mlflow.store import OPENING_SECONDS, Pulse, Store, tracking_errors, was_refused

LOCK_FILE = "tracking.lock"
MOST_LOCK_BYTES = 10_000
_LOCK_SECONDS = 0.2  # whoever only asks whether it is free holds it for a moment
_ROUNDS = 8


class Projection:
    """Brings MLflow to what the journals of one run say, as often as `advance` is called.

    One process at a time projects the run in a folder: entering raises StorageError where another one does, and then
    `elsewhere` is true, or where the lock would be written elsewhere. From another machine, a copy of the folder may be
    projected at the same moment.
    After an error nothing is remembered of what MLflow holds, and the next call looks again.
    """

    def __init__(self, folder: Path, pulse: Pulse) -> None:
        self.created = False
        self.elsewhere = False
        self.is_running = False
        self.without_files = ""  # why MLflow has everything but the files
        self._reader = RunReader(folder)
        self._pulse = pulse
        self._runs: dict[FoldId | None, MlflowRun] | None = None
        self._behind = True
        self._held = ExitStack()

    def __enter__(self) -> Self:
        folder = self._reader.folder
        try:
            with suppress(FileNotFoundError):
                regular_inside(folder, LOCK_FILE, most_bytes=MOST_LOCK_BYTES)  # whoever locks writes into it
            held = locked(folder / LOCK_FILE, what=f"the tracking of run {folder.name}", wait_seconds=_LOCK_SECONDS)
            self._held.enter_context(held)
        except DamagedFile as error:
            raise StorageError(error.what, next_step=error.next_step) from error
        except StorageError:
            self.elsewhere = is_held(folder / LOCK_FILE)
            raise
        self.elsewhere = False
        self._runs = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def missed(self) -> bool:
        """Whether the journals say more than the last `advance` saw, and nobody is left to say that.

        To be asked after leaving: a process that was turned away before had journaled all it had to say, and relies
        on it. While another still writes, that one comes later.
        """
        self._behind |= self._reader.look()
        return self._behind and not is_running(self._reader.folder)

    def advance(self, store: Store, *, final: bool = False) -> bool:
        """Project what is new. Whether MLflow lacked anything.

        `final`: nobody will come back soon, so a run without an end that no process writes is marked as killed,
        and what other machines or lost replies left is looked for.
        Raises TrackingError where MLflow cannot be reached, DamagedFile where the folder cannot be read.
        """
        self._pulse(OPENING_SECONDS)  # reading and counting are slow only where there is much
        self.is_running = final and is_running(self._reader.folder)  # asked before reading: it may end in between
        self._behind |= self._reader.look()
        if not (self._behind or final):
            return False
        self._behind = True
        content = self._reader.content()
        changed = content is not None and self._apply(store, content, final=final)
        self.is_running = self.is_running and content is not None and content.record.status == "running"
        self._behind = False
        return changed

    def _apply(self, store: Store, content: RunContent, *, final: bool) -> bool:
        """Repeat while others make and delete runs for the same folds: all keep the one of the least id, so it ends."""
        changed = False
        for left in reversed(range(_ROUNDS)):
            try:
                with tracking_errors(store.target):
                    changed |= self._apply_once(store, content, abandoned=final and not self.is_running)
                    if not final or is_settled(store, content.record.run, self._runs or {}, self._pulse):
                        return changed
                self._runs = None
            except TrackingError as error:
                self._runs = None
                if not left or not was_refused(error):
                    raise
            except BaseException:
                self._runs = None
                raise
        raise TrackingError(
            f"MLflow at {redact(store.target.uri)}: others keep changing run {content.record.run}",
            next_step="do the same again when they have ended",
        )

    def _apply_once(self, store: Store, content: RunContent, *, abandoned: bool) -> bool:
        changed = False
        if self._runs is None:
            self._runs, changed = find_runs(store, content.record.run, self._pulse)
        tags: dict[str, str] = {}
        for desired in desired_runs(content, abandoned=abandoned, private=store.target.private):
            mlflow_run = self._runs.get(desired.fold_id)
            if mlflow_run is None:
                mlflow_run = self._runs[desired.fold_id] = create_run_for(store, desired, self._pulse, more_tags=tags)
                self.created |= desired.fold_id is None
                changed = True
            changed |= mlflow_run.apply(desired, more_tags=tags)
            tags = {PARENT: mlflow_run.run_id} if desired.fold_id is None else tags
            self.without_files = mlflow_run.without_files or self.without_files
        for fold_id, mlflow_run in self._runs.items():
            if fold_id is not None and fold_id not in content.by_fold:  # a newer copy of this run has that fold
                changed |= mlflow_run.tag(tags)
        return changed


def is_running(folder: Path) -> bool:
    """Whether a process, on any machine that sees the folder, writes a journal of the run in it."""
    return any(map(is_written, (folder, *(fold_id.folder(folder) for fold_id in fold_ids(folder)))))
