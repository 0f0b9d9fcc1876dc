"""One fold after another, here: for debugging, and the reference for the rest."""

import os
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from foldproof.errors import FoldproofError, SettingsError
from foldproof.events.types import Event
from foldproof.executors import ExecutorContext
from foldproof.executors.failure import is_of_memory, unbuildable
from foldproof.executors.perform import perform
from foldproof.executors.waiting import Waiting
from foldproof.provenance.numeric import PORTABLE
from foldproof.training.task import FoldTask, ModelRequest, Probe


class InlineExecutor:
    """Trains in this process."""

    def __init__(self, context: ExecutorContext) -> None:
        self._context = context

    def __enter__(self) -> Self:
        if self._context.portable and not PORTABLE.items() <= os.environ.items():
            if "torch" in sys.modules:
                raise SettingsError(
                    "train.portable has to be known before torch is loaded, and here it is loaded",
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

        try:
            return probe(request)
        except FoldproofError as error:
            raise unbuildable(error.what, request) if is_of_memory(error.what) else error from error
        except Exception as error:  # whatever a backbone raises
            raise unbuildable(f"{type(error).__name__}: {error}", request) from error

    def parallel_folds(self, device: str) -> int:  # noqa: ARG002
        return 1

    def run(self, tasks: Sequence[FoldTask]) -> Iterator[Event]:
        stopping, waiting = self._context.stopping, Waiting(tasks)
        while not stopping.asked and (task := waiting.take()) is not None:
            yield from perform(task, executor="inline", stop=lambda: stopping.asked)
