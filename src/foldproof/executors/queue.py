"""Choose which queued tasks may start now, given those that are running. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence

from foldproof.training.task import FeatureTask, FoldTask


class FoldQueue:
    """Tasks in the order in which they were planned; one whose warm start another will train waits for the other."""

    def __init__(self, tasks: Sequence[FoldTask] = ()) -> None:
        self._tasks = list(tasks)
        self._folders = {task.folder for task in tasks}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def device(self) -> str:
        """The one that the next task asks for."""
        return self._tasks[0].model.device

    def take(self, busy: Iterable[FoldTask] = ()) -> FoldTask | None:
        """The next task that may begin while `busy` are trained. While nothing is, there is one until all are taken."""
        trained = {task.folder for task in busy}
        for number, task in enumerate(self._tasks):
            if not any(ahead.folder in self._folders or ahead.folder in trained for ahead in task.warm_starts):
                self._folders.remove(task.folder)
                return self._tasks.pop(number)
        return None


class FeatureQueue:
    """Tasks none of which waits for another."""

    def __init__(self, tasks: Sequence[FeatureTask]) -> None:
        self._tasks = deque(tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def device(self) -> str:
        """The one that the next task asks for."""
        return self._tasks[0].model.device

    def take(self, busy: Iterable[FoldTask] = ()) -> FeatureTask | None:  # noqa: ARG002
        """The next task, until all are taken."""
        return self._tasks.popleft() if self._tasks else None
