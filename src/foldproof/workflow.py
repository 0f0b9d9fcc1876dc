"""Run experiments, or say what a run would do. The whole program on one page; start reading here.

Images and settings in; folds are cut, models probed, run folders made; an executor trains the folds; every event stands
in a journal before anybody hears of it; trackers are told; each run ends with its record.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from foldproof import registry
from foldproof.analysis.compare import AUTO
from foldproof.config.read import ProjectSettings
from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, unheard
from foldproof.errors import FoldproofError, SettingsError, StorageError, UnknownName, nearest
from foldproof.events.types import Notice
from foldproof.executors import Executor, ExecutorContext, ExecutorFactory
from foldproof.executors.stopping import Stopping
from foldproof.for_dvc import leave_for_dvc
from foldproof.metrics import metric_of
from foldproof.plan.options import ALL_ANEW, RunOptions
from foldproof.plan.prepare import prepare
from foldproof.plan.preview import Preview, preview
from foldproof.project import Project
from foldproof.provenance.trusted_code import accept
from foldproof.recorder import Recorder
from foldproof.records.record import RunRecord
from foldproof.summing_up import sum_up
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

    `notices` is what a person should know: trackers were told before the first epoch. `farewells` is what they say.
    """

    statuses: dict[Path, str]
    notices: tuple[Notice, ...]
    farewells: tuple[Notice, ...]
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
    options: RunOptions = ALL_ANEW,
    target: TrackingTarget | None = None,
    trackers: Sequence[str] = (),
    allow_dirty: bool = False,
    quiet: bool = False,
    progress: Progress = unheard,
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
    execution = loaded.settings.execution
    schemes = [config.folds.scheme for config in loaded.experiments]
    registry.make_named_importable(
        project.root, [execution.executor, loaded.settings.compare.metric, *trackers, *schemes]
    )
    accept(project.root, loaded.settings.compare.metric)
    if loaded.settings.compare.metric != AUTO:
        metric_of(loaded.settings.compare.metric)  # known now, not after hours of training
    make_trackers = {name: registry.load("trackers", name) for name in trackers}
    with (
        nullcontext(stopping) if stopping else closing(Stopping()) as stopping,
        executor_for(configs, execution, stopping) as executor,
    ):
        training_data = training_data or load_training_data(
            project, loaded.settings, allow_dirty=allow_dirty, progress=progress
        )
        planned = prepare(
            project,
            configs,
            training_data,
            executor,
            execution,
            compare=loaded.settings.compare,
            options=options,
            tags=loaded.settings.tracking.tags,
            progress=progress,
        )
        tasks = [replace(task, profiled=profiled) for item in planned for task in item.tasks]
        tracked = [item for item in planned if item.has_work]
        profiles: dict[str, list[Mapping[str, float]]] = {}
        about = TrackerContext(
            folders=tuple(item.folder for item in tracked),
            plans=tuple(item.summary for item in tracked),
            target=target,
            quiet=quiet,
            parallel_folds=executor.parallel_folds(planned[0].device),
            notices=tuple(notice for item in planned if not item.has_work for notice in item.notices),
        )
        with (
            told(make_trackers if tracked else {}, about, stopping) as (listeners, farewells),
            Recorder(planned, listeners) as recorder,
            stopping.heeding(),
            going_on_later(),
        ):
            recorder.begin(training_data.notices)
            with closing(executor.run(tasks)) as events:
                for event in events:
                    recorder.hear(event)
                    if (seconds := spent.told(event.body)) is not None:
                        profiles.setdefault(event.run, []).append(seconds)
            if target is not None:
                for folder, body in sum_up(project, loaded.settings, recorder.ended, stopping):
                    with suppress(StorageError):  # the run has ended well: what people get of it is not worth failing
                        recorder.add(folder, body)
    with suppress(FoldproofError):
        leave_for_dvc(project, map(RunRecord.read, recorder.statuses))
    keep_within(project.run_folders(), limit_bytes=int(execution.states_gb * 1e9))
    of_runs = dict.fromkeys(notice for item in planned for notice in item.notices)
    statuses = {item.folder: recorder.statuses[item.folder] for item in planned}
    where = {item.folder: spent.together(profiles[item.run]) for item in planned if item.run in profiles}
    return RunReport(statuses, (*training_data.notices, *of_runs), tuple(farewells), not tracked, where)


def preview_run(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    options: RunOptions = ALL_ANEW,
    allow_dirty: bool = False,
    progress: Progress = unheard,
) -> Preview:
    """What `run` would do with the named experiments, or all; nothing is trained. Raises what starting them would."""
    configs = chosen(loaded.experiments, names)
    execution = loaded.settings.execution
    registry.make_named_importable(project.root, [execution.executor])
    with closing(Stopping()) as stopping, executor_for(configs, execution, stopping) as executor:
        training_data = load_training_data(project, loaded.settings, allow_dirty=allow_dirty, progress=progress)
        return preview(project, configs, training_data, executor, execution, options=options)


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
            portable=of_one_arithmetic(configs),
            device=execution.device,
            folds=sum(config.folds.k * config.folds.repeats for config in configs),
        )
    )


@contextmanager
def going_on_later() -> Iterator[None]:
    """Training that cannot write any more ends with how to go on."""
    try:
        yield
    except StorageError as error:
        raise StorageError(
            error.what, next_step="mend that (free some space?), then `foldproof run --resume` goes on"
        ) from error


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


def of_one_arithmetic(configs: Sequence[ExperimentConfig]) -> bool:
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
def told(
    make: Mapping[str, TrackerFactory], context: TrackerContext, stopping: Stopping
) -> Iterator[tuple[tuple[Tracker, ...], list[Notice]]]:
    """Trackers by name, closed at the end whatever happens; the list then holds what they have to say.

    Raises TrackingError where one cannot start; its later failures cost no training.
    """
    farewells: list[Notice] = []
    listeners: list[Tracker] = []
    try:
        for name, made in make.items():
            listeners.append(Guarded(name, made, context))
        yield tuple(listeners), farewells
    finally:
        for listener in listeners:
            farewells.extend(listener.close(within=HURRIED_SECONDS if stopping.asked else USUAL_SECONDS))
