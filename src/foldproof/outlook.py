"""What `foldproof run` would do here and now: settings and images in; plan, time and disk out. Nothing is trained."""

from collections.abc import Sequence
from contextlib import closing

from foldproof import registry
from foldproof.config.read import ProjectSettings
from foldproof.data.survey import Progress, unheard
from foldproof.executors import ExecutorContext
from foldproof.material import Material, gather
from foldproof.plan.foresee import Foreseen, foresee
from foldproof.plan.prepare import ALL_ANEW, Extent
from foldproof.project import Project
from foldproof.run import chosen, of_one_arithmetic
from foldproof.stopping import Stopping


def outlook(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    extent: Extent = ALL_ANEW,
    allow_dirty: bool = False,
    progress: Progress = unheard,
) -> tuple[Foreseen, Material]:
    """The plan of the named experiments, or all, and the images it is for. Raises what starting a run would raise."""
    configs = chosen(loaded.experiments, names)
    execution = loaded.settings.execution
    with (
        closing(Stopping()) as stopping,
        registry.load("executors", execution.executor)(
            ExecutorContext(
                parallel_folds=None if execution.parallel_folds == "auto" else execution.parallel_folds,
                threads=max(config.train.threads for config in configs),
                stopping=stopping,
                portable=of_one_arithmetic(configs),
            )
        ) as executor,
    ):
        material = gather(project, loaded.settings.data, allow_dirty=allow_dirty, progress=progress)
        return foresee(project, configs, material, executor, execution, extent=extent), material
