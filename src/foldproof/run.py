"""Run experiments. The whole program on one page; start reading here.

Images and settings in; folds are cut, models probed, run folders made; an executor trains the folds; every event stands
in a journal before anybody hears of it; trackers are told; each run ends with its record.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foldproof import plan, registry
from foldproof.config.read import ProjectSettings
from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.pixels.images import decoded
from foldproof.data.survey import Progress, unheard
from foldproof.environment import circumstances
from foldproof.errors import UnknownName, nearest
from foldproof.events.types import Notice
from foldproof.executors import Executor, ExecutorContext
from foldproof.material import Material, gather
from foldproof.plan import Planned
from foldproof.project import Project
from foldproof.provenance.git import git_state
from foldproof.recorder import Recorder
from foldproof.trackers import Tracker, TrackerContext, TrackingTarget
from foldproof.training.task import ModelRequest


@dataclass(frozen=True)
class RunReport:
    """The run folders that were written and how each run ended.

    `notices` is what a person should know: trackers were told before the first epoch. `farewells` is what they say.
    """

    statuses: dict[Path, str]
    notices: tuple[Notice, ...]
    farewells: tuple[Notice, ...]

    @property
    def all_finished(self) -> bool:
        return all(status == "finished" for status in self.statuses.values())


def run(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    target: TrackingTarget | None = None,
    trackers: Sequence[str] = (),
    allow_dirty: bool = False,
    quiet: bool = False,
    progress: Progress = unheard,
) -> RunReport:
    """Run the named experiments, or all. Folds of all of them share the executor.

    Raises FoldproofError before anything is trained; afterwards a fold that fails fails its run alone.
    """
    configs = chosen(loaded.experiments, names)
    execution = loaded.settings.execution
    threads = max(config.train.threads for config in configs)
    at_once = None if execution.parallel_folds == "auto" else execution.parallel_folds
    make_executor = registry.load("executors", execution.executor)
    with make_executor(ExecutorContext(parallel_folds=at_once, threads=threads)) as executor:
        material = gather(project, loaded.settings.data, allow_dirty=allow_dirty, progress=progress)
        planned = prepare(project, configs, material, executor, execution, progress=progress)
        context = TrackerContext(
            folders=tuple(item.folder for item in planned),
            plans=tuple(item.summary for item in planned),
            target=target,
            quiet=quiet,
            parallel_folds=executor.parallel_folds(planned[0].tasks[0].model.device),
        )
        with told(trackers, context) as (listeners, farewells), Recorder(planned, listeners) as recorder:
            recorder.begin(material.notices)
            with closing(executor.run([task for item in planned for task in item.tasks])) as events:
                for event in events:
                    recorder.hear(event)
    of_folds = dict.fromkeys(notice for item in planned for notice in item.notices)
    return RunReport(recorder.statuses, (*material.notices, *of_folds), tuple(farewells))


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


def prepare(
    project: Project,
    configs: Sequence[ExperimentConfig],
    material: Material,
    executor: Executor,
    execution: ExecutionConfig,
    *,
    progress: Progress = unheard,
) -> tuple[Planned, ...]:
    """Everything that can be wrong is found here, before the first epoch; nothing is written but caches and folds.csv
    until it is known that every experiment can start.
    """
    dataset = material.dataset
    cuts = plan.cut(project, dataset, configs)
    requests = {
        config.name: ModelRequest.of(config, classes=dataset.classes, device=execution.device, plugins=project.root)
        for config in configs
    }
    probes = {request: executor.probe(request) for request in dict.fromkeys(requests.values())}
    shapes = {config.name: (probes[requests[config.name]].image_size, config.pixels.resize) for config in configs}
    images = {
        (size, resize): decoded(
            dataset,
            material.folder,
            size=size,
            resize=resize,
            cache=project.cache,
            limit_gb=execution.cache_gb,
            most_pixels=material.most_pixels,
            progress=partial(progress, "decoding images"),
        )
        for size, resize in dict.fromkeys(shapes.values())
    }
    code = git_state(project.root, apart_from=(project.folds_file.name,))
    environment = circumstances(project, code, material.version)
    return tuple(
        plan.plan_run(
            config,
            project=project,
            material=material,
            cuts=cuts,
            request=requests[config.name],
            probe=probes[requests[config.name]],
            images=images[shapes[config.name]],
            environment=environment,
            code_diff=code.diff if code else b"",
        )
        for config in configs
    )


@contextmanager
def told(names: Sequence[str], context: TrackerContext) -> Iterator[tuple[tuple[Tracker, ...], list[Notice]]]:
    """The trackers of these names, closed at the end whatever happens; the list then holds what they have to say."""
    farewells: list[Notice] = []
    listeners: list[Tracker] = []
    try:
        for name in names:
            tracker = registry.load("trackers", name)(context)
            listeners.append(tracker)
        yield tuple(listeners), farewells
    finally:
        for listener in listeners:
            farewells.extend(listener.close())
