"""An experiment, its images and some of its folds in; the folder of a run that trained them anew, out.

The same plan, executors and journals as `run`, without MLflow, reports, caches or anything else of the user's.
"""

import sys
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from foldproof import registry
from foldproof.config.schema import ExecutionConfig
from foldproof.data.survey import Progress, unheard
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.executors import ExecutorContext
from foldproof.executors.stopping import Stopping
from foldproof.plan.planned import PlannedRun
from foldproof.plan.prepare import prepare
from foldproof.recorder import Recorder
from foldproof.reproduce.staging import Staged
from foldproof.reproduce.states import Stored
from foldproof.trackers import TrackerContext
from foldproof.training.resuming.state_files import descriptions


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
    notices: Iterable[Notice] = (),
    progress: Progress = unheard,
) -> Path:
    """Train, and return the run's folder, below the staged project. A fold that fails is recorded there.

    Raises FoldproofError where nothing can be trained.
    """
    at_once = None if execution.parallel_folds == "auto" else execution.parallel_folds
    only_from(staged.project.root)
    make_executor = registry.load("executors", execution.executor)
    with make_executor(
        ExecutorContext(
            parallel_folds=at_once,
            threads=staged.config.train.threads,
            stopping=stopping,
            portable=staged.config.train.portable,
        )
    ) as executor:
        (planned,) = prepare(
            staged.project, [staged.config], staged.training_data, executor, execution, progress=progress
        )
        planned = _part_of(planned, share)
        context = TrackerContext(
            folders=(planned.folder,),
            plans=(planned.summary,),
            target=None,
            quiet=quiet,
            parallel_folds=executor.parallel_folds(planned.device),
        )
        console = registry.load("trackers", "console")(context)
        try:
            with Recorder([planned], [console]) as recorder, stopping.heeding():
                recorder.begin([*notices])
                with closing(executor.run(planned.tasks)) as events:
                    for event in events:
                        recorder.hear(event)
        finally:
            console.close()
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
