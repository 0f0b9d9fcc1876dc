"""Plan what experiments would train now, among the runs that are there; nothing is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.folds import Assignment, Scheme
from foldproof.plan.arithmetic import arithmetic_notices
from foldproof.plan.cuts import Cuts
from foldproof.plan.decide import Decision, decide, refuse_many
from foldproof.plan.experiment import ExperimentPlan, RunContext
from foldproof.plan.given import as_the_data_say
from foldproof.plan.models import modelled
from foldproof.plan.options import RunOptions
from foldproof.plan.room import memory_notices
from foldproof.plan.tasks import Model, select
from foldproof.project import Project
from foldproof.records.store import RunStore
from foldproof.training_data.load import TrainingData

DEFAULT_COMPARE = CompareSettings()
CutFolds = Callable[[Project, Dataset, Iterable[ExperimentConfig], Mapping[Scheme, Assignment]], Cuts]


@dataclass(frozen=True)
class Plan:
    """What becomes of every experiment, in their order. `at_once`: folds that are trained at the same time."""

    decisions: tuple[Decision, ...]
    context: RunContext
    at_once: int

    @property
    def models(self) -> Mapping[str, Model]:
        """By the experiment's name."""
        return {made.experiment.name: made.experiment.model for made in self.decisions}

    @property
    def to_train(self) -> tuple[ExperimentConfig, ...]:
        """The experiments of which a fold is to be trained."""
        return tuple(made.experiment.config for made in self.decisions if made.fold_ids)

    @property
    def work(self) -> list[tuple[Model, int]]:
        """The model of every experiment to train, and how many of its folds."""
        return [(made.experiment.model, len(made.fold_ids)) for made in self.decisions if made.fold_ids]

    def ready(self, models: Mapping[str, Model], notices: Iterable[Notice]) -> "Plan":
        """The same with models that have their images, and more that a person should know."""
        context = replace(self.context, notices=(*self.context.notices, *notices))
        decisions = (
            replace(made, experiment=replace(made.experiment, model=models[made.experiment.name], context=context))
            for made in self.decisions
        )
        return Plan(tuple(decisions), context, self.at_once)


def make_plan(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
    store: RunStore,
    options: RunOptions,
    *,
    compare: CompareSettings = DEFAULT_COMPARE,
    cut_folds: CutFolds,
) -> Plan:
    """Models are built and timed, images are not decoded. `cut_folds`: `cut`, or `foresee_cuts`, which writes nothing.

    Raises what building a model and deciding raise.
    """
    if options.reseed:
        refuse_many([config.name for config in configs])
    configs, said = as_the_data_say(configs, training_data, project)
    wanted: dict[str, Sequence[FoldId]] = {config.name: select(config, options.folds) for config in configs}
    cuts = cut_folds(project, training_data.dataset, configs, said)
    models = modelled(project, configs, training_data, executor, execution)
    work = [(models[config.name], len(wanted[config.name])) for config in configs]
    at_once = executor.parallel_folds(work[0][0].probe.device)
    context = RunContext(
        project=project,
        training_data=training_data,
        cuts=cuts,
        execution=execution,
        compare=compare,
        shared=options.shares,
        notices=(*memory_notices(work, at_once=at_once), *arithmetic_notices(model for model, _ in work)),
    )
    experiments = (ExperimentPlan.of(one, models[one.name], context, wanted[one.name]) for one in configs)
    return Plan(tuple(decide(one, store, options) for one in experiments), context, at_once)
