"""Train several folds in this process by turns: on a GPU, each on its own stream, to keep the GPU busy.

Nobody trains at the same time: a turn ends between two steps, and a step seeds its own generators, so the bits are
those of one fold after another.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import groupby
from typing import Any

from foldproof.events.types import Event
from foldproof.executors.inline import InlineExecutor
from foldproof.executors.queue import FoldQueue
from foldproof.executors.run_task import run_task_by_steps
from foldproof.training.task import FoldTask

AT_ONCE = 5
STEPS_A_TURN = 16  # enough to keep a GPU busy while the other folds have theirs


class InterleavedExecutor(InlineExecutor):
    """Trains `parallel_folds` folds by turns, as `inline` trains each."""

    def parallel_folds(self, device: str) -> int:
        return self._context.parallel_folds or (AT_ONCE if device.startswith("cuda") else 1)

    def run(self, tasks: Sequence[FoldTask]) -> Generator[Event, None, None]:
        for (device, _), alike in groupby(tasks, key=settled_alike):
            yield from self._by_turns(FoldQueue(list(alike)), at_once=self.parallel_folds(device))

    def _by_turns(self, queue: FoldQueue, *, at_once: int) -> Iterator[Event]:
        stopping = self._context.stopping
        folds: deque[Turns] = deque()
        with ExitStack() as held:
            while True:
                while len(folds) < at_once and not stopping.asked:
                    task = queue.take(fold.task for fold in folds)
                    if task is None:
                        break
                    folds.append(held.enter_context(Turns(task, stop=lambda: stopping.asked)))
                if not folds:
                    return
                fold = folds.popleft()
                yield from fold.turn()
                if not fold.ended:
                    folds.append(fold)


class Turns(AbstractContextManager["Turns"]):
    """A fold that trains a turn at a time. Leaving it ends the fold where it is."""

    def __init__(self, task: FoldTask, *, stop: Callable[[], bool]) -> None:
        from foldproof.training.gpu.streams import own_stream

        self.task = task
        self.ended = False
        self._on_stream = own_stream(task.model.device)
        self._happening: Generator[Event | None] = run_task_by_steps(task, executor="interleaved", stop=stop)

    def __exit__(self, *_: Any) -> None:
        self._happening.close()

    def turn(self) -> Iterator[Event]:
        """Train a few steps, or what is left. Raises what `run_task` raises."""
        for _ in range(STEPS_A_TURN):
            try:
                with self._on_stream():
                    event = next(self._happening)
            except StopIteration:
                self.ended = True
                return
            if event is not None:
                yield event


def settled_alike(task: FoldTask) -> tuple[str, int]:
    """What a fold sets for its whole process: only folds that agree on it can take turns."""
    return task.model.device, task.model.threads
