"""What `foldproof run` would do here and now: settings and images in; plan, time and disk out. Nothing is trained."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from foldproof import registry
from foldproof.config.read import ProjectSettings
from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, unheard
from foldproof.executors import Executor, ExecutorContext, ExecutorFactory
from foldproof.material.gather import gather
from foldproof.plan.foresee import Foreseen, foresee
from foldproof.plan.options import ALL_ANEW, RunOptions
from foldproof.project import Project
from foldproof.run import chosen, of_one_arithmetic
from foldproof.stopping import Stopping


def outlook(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    options: RunOptions = ALL_ANEW,
    allow_dirty: bool = False,
    progress: Progress = unheard,
) -> Foreseen:
    """The plan of the named experiments, or all. Raises what starting a run would raise."""
    configs = chosen(loaded.experiments, names)
    execution = loaded.settings.execution
    with executor_for(project, configs, execution) as executor:
        material = gather(project, loaded.settings, allow_dirty=allow_dirty, progress=progress)
        return foresee(project, configs, material, executor, execution, options=options)


@contextmanager
def executor_for(
    project: Project, configs: Sequence[ExperimentConfig], execution: ExecutionConfig
) -> Iterator[Executor]:
    """An executor to ask, that nobody stops."""
    registry.make_named_importable(project.root, [execution.executor])
    make_executor: ExecutorFactory = registry.load("executors", execution.executor)
    with closing(Stopping()) as stopping:
        context = ExecutorContext(
            parallel_folds=None if execution.parallel_folds == "auto" else execution.parallel_folds,
            threads=max(config.train.threads for config in configs),
            stopping=stopping,
            portable=of_one_arithmetic(configs),
        )
        with make_executor(context) as executor:
            yield executor
