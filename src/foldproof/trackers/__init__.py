"""Tell events to someone else. Never touch training; may be replayed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from foldproof.events.types import Event, Notice

CLOSING_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class TrackingTarget:
    """A tracking server or store, and the MLflow experiment in it; `artifacts` is None where the server decides.

    `private`: no file that names paths or groups may leave. `trusted`: this user has named it, not only the settings,
    so a password that belongs to no host may be sent there, and files written where it says.
    """

    uri: str
    experiment: str
    artifacts: Path | None
    private: bool = False
    trusted: bool = field(default=True, compare=False)  # who named a place does not change it


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What is about to run; `seconds` is the estimated time of what is left, one fold after another, None if unknown.

    `epochs_done`, `accuracies` and `finished`, of the folds that have finished, are of a run that goes on, whose id is
    `goes_on`. `bytes`: about what it will write and keep, None if unknown. `begins_with`: whose epochs are its first,
    in words, and how many of all its epochs that saves.
    """

    run: str
    experiment: str
    folds: int
    repeats: int
    epochs: int
    seconds: float | None
    epochs_done: int = 0
    accuracies: tuple[float, ...] = ()
    finished: int = 0
    goes_on: str = ""
    bytes: int | None = None
    begins_with: str = ""
    epochs_of_others: int = 0

    @property
    def all_folds(self) -> int:
        return self.folds * self.repeats

    @property
    def all_epochs(self) -> int:
        return self.all_folds * self.epochs


@dataclass(frozen=True, kw_only=True)
class TrackerContext:
    """What a tracker may know before the first event. `notices`: what no event tells of."""

    folders: tuple[Path, ...]
    plans: tuple[RunPlan, ...]
    target: TrackingTarget | None
    quiet: bool
    parallel_folds: int
    notices: tuple[Notice, ...] = ()


class Tracker(Protocol):
    """Made with a `TrackerContext`; told of every event as it happens, each fold's in order; never makes training wait.

    Of a run that goes on it hears only what happens from now on, and a fold that starts over tells its epochs again:
    `records.record.read_events` of the run's folder has all that was told before. What it writes for people belongs
    beside the runs, as `runs/tensorboard`, not inside one.
    """

    def tell(self, event: Event) -> None: ...

    def close(self, *, within: float = CLOSING_SECONDS) -> tuple[Notice, ...]:
        """End within that time and return what a person should know."""
        ...


TrackerFactory: TypeAlias = Callable[[TrackerContext], Tracker]
