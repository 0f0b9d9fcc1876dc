"""From settings and images to runs that can start: everything that can be wrong is found before the first epoch."""

from collections.abc import Mapping, Sequence
from functools import partial

from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, unheard
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.plan.beginnings import with_beginnings
from foldproof.plan.cuts import cut
from foldproof.plan.decide import Decision, decide
from foldproof.plan.environment import circumstances
from foldproof.plan.features import carried_out, passes, with_stores
from foldproof.plan.make import DEFAULT_COMPARE, Plan, make_plan
from foldproof.plan.models import with_images
from foldproof.plan.open import Circumstances, open_run
from foldproof.plan.options import ALL_ANEW, RunOptions
from foldproof.plan.planned import PlannedRun
from foldproof.plan.room import check_disk
from foldproof.plan.uncommitted import secret_notices
from foldproof.project import WRITTEN, Project
from foldproof.provenance.git import git_state
from foldproof.records.store import RunStore
from foldproof.storage import locked
from foldproof.training_data.load import TrainingData

JOINING_SECONDS = 60.0


def prepare(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
    *,
    compare: CompareSettings = DEFAULT_COMPARE,
    options: RunOptions = ALL_ANEW,
    tags: Mapping[str, str] | None = None,
    progress: Progress = unheard,
) -> tuple[PlannedRun, ...]:
    """Everything that can be wrong is found here, before the first epoch; nothing is written but caches and folds.csv
    until it is known that every experiment can start.
    """
    store = RunStore.read(project.run_folders())
    plan = make_plan(
        project, configs, training_data, executor, execution, store, options, compare=compare, cut_folds=cut
    )
    code = git_state(project.root, apart_from=(project.folds_file.name, *WRITTEN))
    diff = code.diff if code else b""
    now = Circumstances(circumstances(project, code, training_data.version, tags or {}), diff)
    plan = _with_inputs(plan, executor, progress, secret_notices(diff))
    if options.joins:
        with locked(project.home / ".foldproof" / "runs.lock", what="the list of runs", wait_seconds=JOINING_SECONDS):
            store = RunStore.read(project.run_folders())
            planned = [open_run(_decided_now(one, store, options), now) for one in plan.decisions]
        left = [(plan.models[run.config.name], len(run.tasks)) for run in planned]
        check_disk(project.runs, left, at_once=plan.at_once)
    else:
        if plan.work:
            check_disk(project.runs, plan.work, at_once=plan.at_once)
        planned = [open_run(one, now) for one in plan.decisions]
    return with_beginnings(planned, plan.context.cuts, plan.models, store, options)


def _with_inputs(plan: Plan, executor: Executor, progress: Progress, notices: Sequence[Notice]) -> Plan:
    """Images decoded and features computed, only of what is to be trained."""
    context = plan.context
    project, training_data, execution = context.project, context.training_data, context.execution
    models, undecoded = with_images(
        plan.models, plan.to_train, project=project, training_data=training_data, execution=execution, progress=progress
    )
    shared = passes(models, plan.to_train, training_data.dataset)
    unkept = carried_out(shared, executor, progress=partial(progress, "computing features"))
    if unkept:
        models = with_stores(models, project, execution, shared=False)
    return plan.ready(models, (*notices, *undecoded, *unkept))


def _decided_now(decision: Decision, store: RunStore, options: RunOptions) -> Decision:
    """Decided anew among the runs that others may have begun meanwhile; what had nothing left to train stays so."""
    return decide(decision.experiment, store, options) if decision.fold_ids else decision
