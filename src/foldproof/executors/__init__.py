"""Execute many `FoldTask`s and yield one stream of their events."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from foldproof.events.types import Event
from foldproof.executors.stopping import Stopping
from foldproof.training.task import FeatureSpan, FeatureTask, FoldTask, ModelRequest, Probe


@dataclass(frozen=True, kw_only=True)
class ExecutorContext:
    """What an executor may know before the first task; `parallel_folds` None means as many as the cores carry.

    `device` is the one of the settings, and `folds` how many will be trained, more or less: a hint to start with.
    `portable`: every task asks for train.portable, which the process that trains it has to be started for. Once
    `stopping` is asked, no task is begun any more and those that run end at their next step.
    """

    parallel_folds: int | None
    threads: int
    stopping: Stopping
    portable: bool = False
    device: str = "auto"
    folds: int = 1


class Executor(Protocol):
    """Every executor gives the journals that `inline` gives; only the order between folds differs.

    Use it as a context: leaving it ends whatever it started, at once.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def probe(self, request: ModelRequest) -> Probe:
        """What a model asks for and costs. Raises the FoldproofError that building it raises."""
        ...

    def parallel_folds(self, device: str) -> int:
        """How many folds `run` trains at once on `device`."""
        ...

    def extract(self, tasks: Sequence[FeatureTask]) -> Iterator[FeatureSpan]:
        """Put every part of the images through its trunk; in any order, and not all once `stopping` is asked.

        Raises the FoldproofError by which it cannot be done.
        """
        ...

    def run(self, tasks: Sequence[FoldTask]) -> Generator[Event, None, None]:
        """Train every task. A fold that fails is an event; the others go on.

        Raises StorageError where nothing can be written any more; a fold that was stopped can go on later.
        """
        ...


ExecutorFactory: TypeAlias = Callable[[ExecutorContext], Executor]
