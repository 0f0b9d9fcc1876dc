"""Write resume states beside the training and yield `CheckpointSaved` once they are on disk."""

import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from foldproof.events.types import CheckpointSaved
from foldproof.training.resuming import state
from foldproof.training.resuming.state import State


class Saver:
    """Writes one state at a time in a thread, `every` seconds from the last; training goes on meanwhile."""

    def __init__(self, folder: Path, *, every: float) -> None:
        self._folder = folder
        self._every = every
        self._next = time.monotonic() + every
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="states")
        self._writing: tuple[int, Future[Path]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True)

    @property
    def due(self) -> bool:
        """Whether it is time for a state, and the one before is written."""
        return self._writing is None and time.monotonic() >= self._next

    def begin(self, snapshot: State) -> None:
        """Start to write a state whose tensors nobody changes any more."""
        self._next = time.monotonic() + self._every
        self._writing = snapshot.epoch, self._thread.submit(state.write, self._folder, snapshot)

    def news(self, *, wait: bool = False) -> Generator[CheckpointSaved]:
        """What has been written since this was last asked. Raises StorageError where it could not be."""
        if self._writing is not None and (wait or self._writing[1].done()):
            (epoch, written), self._writing = self._writing, None
            yield CheckpointSaved(epoch=epoch, file=written.result().name)

    def beside(self, snapshot: State) -> Generator[CheckpointSaved]:
        """Begin to write a state, once the one before is written."""
        yield from self.news(wait=True)
        self.begin(snapshot)

    def last(self, snapshot: State) -> Generator[CheckpointSaved]:
        """Write a state after whatever is being written, and wait for both."""
        yield from self.news(wait=True)
        self.begin(snapshot)
        yield from self.news(wait=True)
