"""Measure the models of experiments on this machine, with the folds that these are split into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foldproof.config.recorded import own_code
from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.events.fold_id import FoldId
from foldproof.executors import Executor
from foldproof.plan.arithmetic import arithmetic_notices
from foldproof.plan.decide import refuse_many
from foldproof.plan.experiment import RunContext
from foldproof.plan.features import add_feature_stores
from foldproof.plan.options import RunOptions
from foldproof.plan.predefined_splits import predefined_splits
from foldproof.plan.room import memory_notices
from foldproof.plan.splits import preview_splits, split
from foldproof.plan.tasks import Model, select
from foldproof.project import Project
from foldproof.training.task import ModelRequest
from foldproof.training_data.load import TrainingData

DEFAULT_COMPARE = CompareSettings()


@dataclass(frozen=True, kw_only=True)
class MeasuredExperiments:
    """Experiments with the number of folds that there are, those of them wanted, and their models without images.

    `wanted` and `models` are by the experiment's name; `at_once`: folds that are trained at the same time.
    """

    configs: tuple[ExperimentConfig, ...]
    wanted: Mapping[str, Sequence[FoldId]]
    models: Mapping[str, Model]
    context: RunContext
    at_once: int


def measure(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
    options: RunOptions,
    *,
    compare: CompareSettings = DEFAULT_COMPARE,
    writes_folds: bool = True,
) -> MeasuredExperiments:
    """Split the images, then build and time each model once. `writes_folds`: bring folds.csv up to date.

    Raises FoldsError for folds that are not there, and what building a model raises.
    """
    if options.reseed:
        refuse_many([config.name for config in configs])
    configs, predefined = predefined_splits(configs, training_data, project)
    wanted = {config.name: select(config, options.folds) for config in configs}
    splits = (split if writes_folds else preview_splits)(project, training_data.dataset, configs, predefined)
    models = _models(project, configs, training_data, executor, execution)
    work = [(models[config.name], len(wanted[config.name])) for config in configs]
    at_once = executor.parallel_folds(work[0][0].probe.device)
    context = RunContext(
        project=project,
        training_data=training_data,
        splits=splits,
        execution=execution,
        compare=compare,
        shared=options.shares,
        notices=(*memory_notices(work, at_once=at_once), *arithmetic_notices(model for model, _ in work)),
    )
    return MeasuredExperiments(configs=configs, wanted=wanted, models=models, context=context, at_once=at_once)


def _models(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
) -> dict[str, Model]:
    requests = {
        config.name: ModelRequest.of(
            config,
            classes=training_data.dataset.classes,
            device=execution.device,
            plugins=project.root if own_code(config) else None,
        )
        for config in configs
    }
    probes = {request: executor.probe(request) for request in dict.fromkeys(requests.values())}
    models = {}
    for config in configs:
        request = requests[config.name]
        form = training_data.form(config.pixels, size=probes[request].image_size)
        models[config.name] = Model(request=request, probe=probes[request], form=form)
    return add_feature_stores(models, project, execution, shared=True)
