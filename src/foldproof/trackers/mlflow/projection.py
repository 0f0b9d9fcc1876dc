"""A run's folder and a store in, the MLflow runs that say the same out; may be repeated, interrupted and replayed."""

import platform
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from foldproof.errors import DamagedFile, StorageError
from foldproof.events.types import Event
from foldproof.record import Place
from foldproof.storage import locked, regular_inside
from foldproof.trackers.mlflow.content import RunContent, RunReader
from foldproof.trackers.mlflow.mirror import Mirror, find_mirrors, make_mirror
from foldproof.trackers.mlflow.store import OPENING_SECONDS, Pulse, Store, tracking_errors
from foldproof.trackers.mlflow.wanted import PARENT, WantedRun, wanted_runs

LOCK_FILE = "tracking.lock"
MOST_LOCK_BYTES = 10_000


class Projection:
    """Brings MLflow to what the journals of one run say, as often as `advance` is called.

    One process at a time projects a run: entering raises StorageError where another one does,
    or where the lock would be written elsewhere.
    After an error nothing is remembered of what MLflow holds, and the next call looks again.
    """

    def __init__(self, folder: Path, pulse: Pulse) -> None:
        self.created = False
        self._reader = RunReader(folder)
        self._pulse = pulse
        self._mirrors: dict[Place | None, Mirror] | None = None
        self._behind = True
        self._held = ExitStack()

    def __enter__(self) -> Self:
        folder = self._reader.folder
        try:
            with suppress(FileNotFoundError):
                regular_inside(folder, LOCK_FILE, most_bytes=MOST_LOCK_BYTES)  # whoever locks writes into it
            self._held.enter_context(locked(folder / LOCK_FILE, what=f"the tracking of run {folder.name}"))
        except DamagedFile as error:
            raise StorageError(error.what, next_step=error.next_step) from error
        except OSError as error:
            raise StorageError(f"cannot lock {folder}: {error.strerror}", next_step="mend the permissions") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def advance(self, store: Store, *, final: bool = False) -> bool:
        """Project what is new. Whether MLflow lacked anything.

        `final`: nobody will come back soon, so a run whose writer is gone is marked as killed.
        Raises TrackingError where MLflow cannot be reached, DamagedFile where the folder cannot be read.
        """
        self._pulse(OPENING_SECONDS)  # reading and counting are slow only where there is much
        if not (self._reader.look() or self._behind or final):
            return False
        self._behind = True
        content = self._reader.content()
        changed = content is not None and self._bring(store, content, abandoned=final and writer_is_gone(content))
        self._behind = False
        return changed

    def _bring(self, store: Store, content: RunContent, *, abandoned: bool) -> bool:
        try:
            with tracking_errors(store.target.uri):
                if self._mirrors is None:
                    self._mirrors = find_mirrors(store, content.record.run, self._pulse)
                changed = False
                tags: dict[str, str] = {}
                for wanted in wanted_runs(content, abandoned=abandoned):
                    mirror, made = self._mirror(store, self._mirrors, wanted, tags)
                    changed |= made | mirror.bring(wanted, more_tags=tags)
                    tags = {PARENT: mirror.run_id} if wanted.place is None else tags
                return changed
        except BaseException:
            self._mirrors = None
            raise

    def _mirror(
        self, store: Store, mirrors: dict[Place | None, Mirror], wanted: WantedRun, tags: dict[str, str]
    ) -> tuple[Mirror, bool]:
        known = mirrors.get(wanted.place)
        if known is not None:
            return known, False
        mirrors[wanted.place] = make_mirror(store, wanted, self._pulse, more_tags=tags)
        self.created |= wanted.place is None
        return mirrors[wanted.place], True


def writer_is_gone(content: RunContent) -> bool:
    """Whether the process that last wrote the run's own journal was on this machine and has ended."""
    last: Event = content.events[-1]
    host, pid = last.about.get("host"), last.about.get("pid")
    if host != platform.node() or not isinstance(pid, int):
        return False
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or process.create_time() > last.time
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
