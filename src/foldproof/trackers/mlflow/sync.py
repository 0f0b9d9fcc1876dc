"""Bring runs that have ended to MLflow from what their journals say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foldproof.errors import DamagedFile, StorageError
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.limits import bound_by_target
from foldproof.trackers.mlflow.projection import Projection
from foldproof.trackers.mlflow.store import Pulse, prepare


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
    return bound_by_target(target, partial(_sync, folders, target))


def _sync(folders: Sequence[Path], target: TrackingTarget, pulse: Pulse) -> SyncReport:
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
