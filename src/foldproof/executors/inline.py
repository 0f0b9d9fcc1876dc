"""Train one fold after another in this process, for debugging and as the reference for other executors."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from foldproof.errors import FoldproofError, SettingsError
from foldproof.events.types import Event
from foldproof.executors import ExecutorContext
from foldproof.executors.failure import is_of_memory, unbuildable
from foldproof.executors.queue import FoldQueue
from foldproof.executors.run_task import run_task
from foldproof.provenance.numeric import PORTABLE
from foldproof.training.task import FeatureSpan, FeatureTask, FoldTask, ModelRequest, Probe


class InlineExecutor:
    """Trains in this process."""

    def __init__(self, context: ExecutorContext) -> None:
        self._context = context

    def __enter__(self) -> Self:
        if self._context.portable and not PORTABLE.items() <= os.environ.items():
            if "torch" in sys.modules:
                raise SettingsError(
                    "train.portable has to be known before torch is loaded, and torch is already loaded here",
                    next_step="use execution.executor: process",
                )
            os.environ.update(PORTABLE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def probe(self, request: ModelRequest) -> Probe:
        from foldproof.training.probe import probe

        with explained(request):
            return probe(request)

    def parallel_folds(self, device: str) -> int:  # noqa: ARG002
        return 1

    def extract(self, tasks: Sequence[FeatureTask]) -> Iterator[FeatureSpan]:
        from foldproof.training.frozen.extraction import Extractor

        extractor = None
        for task in tasks:
            if self._context.stopping.asked:
                return
            with explained(task.model):
                extractor = Extractor.of(task.model, extractor)
                span = extractor.rows(task)
            yield span

    def run(self, tasks: Sequence[FoldTask]) -> Generator[Event, None, None]:
        stopping, queue = self._context.stopping, FoldQueue(tasks)
        while not stopping.asked and (task := queue.take()) is not None:
            yield from run_task(task, executor="inline", stop=lambda: stopping.asked)


@contextmanager
def explained(request: ModelRequest) -> Iterator[None]:
    """Whatever a backbone raises in the block becomes a ModelError that says what it means."""
    try:
        yield
    except FoldproofError as error:
        raise unbuildable(error.what, request) if is_of_memory(error.what) else error from error
    except Exception as error:
        raise unbuildable(f"{type(error).__name__}: {error}", request) from error
