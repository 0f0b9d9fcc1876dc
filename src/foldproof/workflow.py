"""Run experiments, or preview a run. The whole program on one page; start reading here.

Load and check the images, measure the models, plan, prepare what the plan trains, open the run folders, and execute.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from foldproof import registry
from foldproof.after_run.dvc_files import write_dvc_files
from foldproof.after_run.reports import write_reports
from foldproof.analysis.compare import AUTO
from foldproof.config.read import ProjectSettings
from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, no_progress
from foldproof.errors import FoldproofError, SettingsError, StorageError, UnknownName, nearest
from foldproof.events.types import Body, Notice
from foldproof.executors import Executor, ExecutorContext, ExecutorFactory
from foldproof.executors.stopping import Stopping
from foldproof.metrics import metric_of
from foldproof.plan.inputs import prepare_inputs
from foldproof.plan.make import make_plan
from foldproof.plan.models import measure
from foldproof.plan.open import open_runs, read_circumstances
from foldproof.plan.options import NEW_RUNS, RunOptions
from foldproof.plan.planned import PlannedRun
from foldproof.plan.preview import Preview, preview
from foldproof.project import Project
from foldproof.provenance.trusted_code import accept
from foldproof.recorder import Recorder
from foldproof.records.record import RunRecord
from foldproof.records.store import RunStore
from foldproof.trackers import Tracker, TrackerContext, TrackerFactory, TrackingTarget
from foldproof.trackers.guarded import Guarded
from foldproof.training import spent
from foldproof.training.resuming.state_files import keep_within
from foldproof.training_data.load import TrainingData, load_training_data

USUAL_SECONDS = 60.0  # that trackers may take at the end
HURRIED_SECONDS = 3.0  # after Ctrl-C


@dataclass(frozen=True)
class RunReport:
    """The run folders that were written and how each run ended.

    `notices` is what a person should know: trackers were told before the first epoch. `closing_notices` is what
    trackers say when they are closed.
    """

    statuses: dict[Path, str]
    notices: tuple[Notice, ...]
    closing_notices: tuple[Notice, ...]
    was_done: bool  # nothing was left to do, so no tracker was told of the notices
    spent: Mapping[Path, Mapping[str, float]] = field(default_factory=dict)  # seconds by part, summed over folds

    @property
    def all_finished(self) -> bool:
        """Whether no fold failed or was cut off; of a shared run others may train more."""
        return not set(self.statuses.values()) & {"failed", "interrupted"}


def run(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    options: RunOptions = NEW_RUNS,
    target: TrackingTarget | None = None,
    trackers: Sequence[str] = (),
    allow_dirty: bool = False,
    quiet: bool = False,
    progress: Progress = no_progress,
    stopping: Stopping | None = None,
    training_data: TrainingData | None = None,
    profiled: bool = False,
) -> RunReport:
    """Run the named experiments, or all. Folds of all of them share the executor. `training_data`: loaded before.

    Raises FoldproofError before anything is trained, also for a metric that nothing can be compared by; afterwards a
    fold that fails fails its run alone, and StorageError means that nothing can be written any more. Once `stopping` is
    asked, folds end at their next step.
    `profiled`: every fold says where its time went; that changes no result.
    """
    configs = chosen(loaded.experiments, names)
    settings, execution = loaded.settings, loaded.settings.execution
    schemes = [config.folds.scheme for config in loaded.experiments]
    registry.make_named_importable(project.root, [execution.executor, settings.compare.metric, *trackers, *schemes])
    accept(project.root, settings.compare.metric)
    if settings.compare.metric != AUTO:
        metric_of(settings.compare.metric)  # known now, not after hours of training
    make_trackers = {name: registry.load("trackers", name) for name in trackers}
    with (
        nullcontext(stopping) if stopping else closing(Stopping()) as stopping,
        executor_for(configs, execution, stopping) as executor,
    ):
        data = training_data or load_training_data(project, settings, allow_dirty=allow_dirty, progress=progress)
        measured = measure(project, configs, data, executor, execution, options, compare=settings.compare)
        plan = make_plan(measured, RunStore.read(project.run_folders()), options)
        now = read_circumstances(plan, tags=settings.tracking.tags or {})
        plan = prepare_inputs(plan, executor, progress=progress)
        runs = open_runs(plan, now)
        report = execute(
            runs,
            executor,
            stopping,
            trackers=make_trackers,
            target=target,
            quiet=quiet,
            notices=data.notices,
            profiled=profiled,
            finish=partial(write_reports, project, settings) if target is not None else None,
            when_unwritable="fix that (free some space?), then `foldproof run --resume` goes on",
        )
    with suppress(FoldproofError):
        write_dvc_files(project, map(RunRecord.read, report.statuses))
    keep_within(project.run_folders(), limit_bytes=int(execution.states_gb * 1e9))
    return report


def execute(
    runs: Sequence[PlannedRun],
    executor: Executor,
    stopping: Stopping,
    *,
    trackers: Mapping[str, TrackerFactory],
    target: TrackingTarget | None = None,
    quiet: bool = False,
    notices: Sequence[Notice] = (),
    profiled: bool = False,
    finish: Callable[[Sequence[Path], Stopping], Iterable[tuple[Path, Body]]] | None = None,
    when_unwritable: str = "",
) -> RunReport:
    """Train the folds of opened runs; every event is in a journal before a tracker is told of it.

    `notices` are recorded with every run; `when_unwritable` is the next step where nothing can be written any more.
    """
    active = [item for item in runs if item.has_work]
    context = TrackerContext(
        folders=tuple(item.folder for item in active),
        plans=tuple(item.summary for item in active),
        target=target,
        quiet=quiet,
        parallel_folds=executor.parallel_folds(runs[0].device),
        notices=tuple(notice for item in runs if not item.has_work for notice in item.notices),
    )
    tasks = [replace(task, profiled=profiled) for item in runs for task in item.tasks]
    profiles: dict[str, list[Mapping[str, float]]] = {}
    with (
        open_trackers(trackers if active else {}, context, stopping) as (listeners, closing_notices),
        Recorder(runs, listeners) as recorder,
        stopping.listening(),
        advising(when_unwritable),
    ):
        recorder.begin(notices)
        with closing(executor.run(tasks)) as events:
            for event in events:
                recorder.record(event)
                if (seconds := spent.told(event.body)) is not None:
                    profiles.setdefault(event.run, []).append(seconds)
        for folder, body in finish(recorder.ended, stopping) if finish else ():
            with suppress(StorageError):  # the run has ended well: what people get of it is not worth failing
                recorder.add(folder, body)
    return RunReport(
        statuses={item.folder: recorder.statuses[item.folder] for item in runs},
        notices=tuple(dict.fromkeys((*notices, *(notice for item in runs for notice in item.notices)))),
        closing_notices=tuple(closing_notices),
        was_done=not active,
        spent={item.folder: spent.sum_folds(profiles[item.run]) for item in runs if item.run in profiles},
    )


def preview_run(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    options: RunOptions = NEW_RUNS,
    allow_dirty: bool = False,
    progress: Progress = no_progress,
) -> Preview:
    """What `run` would do with the named experiments, or all; nothing is trained. Raises what starting them would."""
    configs = chosen(loaded.experiments, names)
    execution = loaded.settings.execution
    registry.make_named_importable(project.root, [execution.executor])
    with closing(Stopping()) as stopping, executor_for(configs, execution, stopping) as executor:
        data = load_training_data(project, loaded.settings, allow_dirty=allow_dirty, progress=progress)
        measured = measure(project, configs, data, executor, execution, options, writes_folds=False)
        return preview(make_plan(measured, RunStore.read(project.run_folders()), options))


def executor_for(
    configs: Sequence[ExperimentConfig], execution: ExecutionConfig, stopping: Stopping
) -> AbstractContextManager[Executor]:
    """The executor of the settings, for the folds of these experiments. Raises UnknownName, SettingsError."""
    make: ExecutorFactory = registry.load("executors", execution.executor)
    return make(
        ExecutorContext(
            parallel_folds=None if execution.parallel_folds == "auto" else execution.parallel_folds,
            threads=max(config.train.threads for config in configs),
            stopping=stopping,
            portable=share_arithmetic(configs),
            device=execution.device,
            folds=sum(config.folds.k * config.folds.repeats for config in configs),
        )
    )


@contextmanager
def advising(next_step: str) -> Iterator[None]:
    """Replace the next step of a StorageError, where one is given."""
    try:
        yield
    except StorageError as error:
        if not next_step:
            raise
        raise StorageError(error.what, next_step=next_step) from error


def chosen(experiments: Sequence[ExperimentConfig], names: Sequence[str]) -> tuple[ExperimentConfig, ...]:
    """The experiments of these names, or all where there are none. Raises UnknownName."""
    known = {config.name: config for config in experiments}
    for name in names:
        if name not in known:
            hint = nearest(name, known)
            raise UnknownName(
                f"no experiment '{name}'{'; ' + hint if hint else ''}",
                next_step=f"the settings have: {', '.join(known)}",
            )
    return tuple(known[name] for name in dict.fromkeys(names)) or tuple(experiments)


def share_arithmetic(configs: Sequence[ExperimentConfig]) -> bool:
    """Whether the experiments are portable. Raises SettingsError where only some are: they need other processes."""
    portable = [config.name for config in configs if config.train.portable]
    others = [config.name for config in configs if not config.train.portable]
    if portable and others:
        raise SettingsError(
            f"{portable[0]} has train.portable and {others[0]} has not: they cannot share their processes",
            next_step=f"run them one after another: `foldproof run {' '.join(portable)}`, then the rest",
        )
    return bool(portable)


@contextmanager
def open_trackers(
    make: Mapping[str, TrackerFactory], context: TrackerContext, stopping: Stopping
) -> Iterator[tuple[tuple[Tracker, ...], list[Notice]]]:
    """Open trackers by name and close them whatever happens; the list then holds what they have to say.

    Raises TrackingError where one cannot start; its later failures cost no training.
    """
    closing_notices: list[Notice] = []
    listeners: list[Tracker] = []
    try:
        for name, made in make.items():
            listeners.append(Guarded(name, made, context))
        yield tuple(listeners), closing_notices
    finally:
        for listener in listeners:
            closing_notices.extend(listener.close(within=HURRIED_SECONDS if stopping.asked else USUAL_SECONDS))
