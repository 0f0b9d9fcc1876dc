"""Train some folds of an experiment again, in a run of the staged project.

The same plan, executors and journals as `run`, without MLflow, reports, caches or anything else of the user's.
"""

import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from foldproof import registry
from foldproof.config.schema import ExecutionConfig
from foldproof.data.survey import Progress, no_progress
from foldproof.events.fold_id import FoldId
from foldproof.executors.stopping import Stopping
from foldproof.plan.inputs import prepare_inputs
from foldproof.plan.make import make_plan
from foldproof.plan.models import measure
from foldproof.plan.open import open_runs, read_circumstances
from foldproof.plan.options import NEW_RUNS
from foldproof.plan.planned import PlannedRun
from foldproof.records.store import RunStore
from foldproof.reproduce.staging import Staged
from foldproof.reproduce.states import Stored
from foldproof.training.resuming.state_files import descriptions
from foldproof.workflow import execute, executor_for


@dataclass(frozen=True, kw_only=True)
class Share:
    """What of an experiment is trained: these folds, up to an epoch (None: the last), from states or the beginning.

    `states`: for a fold, the state from which it goes on.
    """

    fold_ids: Collection[FoldId]
    last_epoch: int | None = None
    states: dict[FoldId, Stored] | None = None


def retrain(
    staged: Staged,
    share: Share,
    *,
    execution: ExecutionConfig,
    stopping: Stopping,
    quiet: bool,
    progress: Progress = no_progress,
) -> Path:
    """Train, and return the run's folder, below the staged project. A fold that fails is recorded there.

    Raises FoldproofError where nothing can be trained.
    """
    only_from(staged.project.root)
    project = staged.project
    with executor_for([staged.config], execution, stopping) as executor:
        measured = measure(project, [staged.config], staged.training_data, executor, execution, NEW_RUNS)
        plan = make_plan(measured, RunStore.read(project.run_folders()), NEW_RUNS)
        (planned,) = open_runs(prepare_inputs(plan, executor, progress=progress), read_circumstances(plan))
        planned = _part_of(planned, share)
        trackers = {"console": registry.load("trackers", "console")}
        execute([planned], executor, stopping, trackers=trackers, quiet=quiet, notices=[])
    return planned.folder


def _part_of(planned: PlannedRun, share: Share) -> PlannedRun:
    tasks = [task for task in planned.tasks if task.fold_id in share.fold_ids]
    for task in tasks:
        if share.states and task.fold_id in share.states:
            share.states[task.fold_id].copy_to(task.folder)
            assert descriptions(task.folder)
    return replace(planned, tasks=tuple(replace(task, stop_after=share.last_epoch) for task in tasks))


def only_from(root: Path) -> None:
    """Modules are installed, or found in `root`; not in the folder in which the command was typed."""
    here = Path.cwd()
    sys.path[:] = [entry for entry in sys.path if Path(entry).absolute() != here and Path(entry).resolve() != here]
    registry.make_importable(root)
