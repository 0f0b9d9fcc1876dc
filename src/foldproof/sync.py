"""Bring MLflow to what the journals say: run folders and a target in, what was lacking out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof.errors import DamagedFile, StorageError
from foldproof.trackers import TrackingTarget


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """How many runs were looked at, of how many MLflow knew nothing or lacked a part.

    `left` says of runs that another process brings who that is, `problems` what could not be brought, `notes` what
    else is worth knowing.
    """

    runs: int
    created: int
    completed: int
    left: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def sync(folders: Sequence[Path], target: TrackingTarget) -> SyncReport:
    """Project the runs in `folders`; repeated, it changes nothing. A run that another process projects is left to it.

    Raises TrackingError where MLflow cannot be used; what was brought until then stays.
    """
    from foldproof.trackers.mlflow.limits import in_time
    from foldproof.trackers.mlflow.target import is_server

    if is_server(target.uri):
        return in_time(lambda promise: _sync(folders, target, promise), uri=target.uri)
    return _sync(folders, target, _nobody_waits)


def _sync(folders: Sequence[Path], target: TrackingTarget, pulse: Callable[[float], None]) -> SyncReport:
    from foldproof.trackers.mlflow.projection import Projection
    from foldproof.trackers.mlflow.store import prepare

    created = completed = 0
    left: list[str] = []
    problems: list[str] = []
    store = prepare(target, pulse)
    for folder in folders:
        projection, changed = Projection(folder, pulse), False
        try:
            again = True
            while again:
                with projection:
                    changed |= projection.advance(store, final=True)
                again = projection.missed()
        except (DamagedFile, StorageError) as error:
            (left if projection.elsewhere else problems).append(error.what)
        else:
            problems += [f"run {folder.name}: {projection.without_files}"] if projection.without_files else []
            created += projection.created
            completed += changed and not projection.created
    notes = [store.moved.said, store.moved.gone] if store.moved else []
    return SyncReport(
        runs=len(folders),
        created=created,
        completed=completed,
        left=tuple(left),
        problems=tuple(problems),
        notes=tuple(filter(None, notes)),
    )


def _nobody_waits(seconds: float) -> None:
    """Somebody at a terminal can interrupt."""
