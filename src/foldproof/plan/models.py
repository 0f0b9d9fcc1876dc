"""The models of experiments: settings and images in; what each asks for, what it costs here, and what it sees, out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from foldproof.config.recorded import own_code
from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.at_hand import at_hand
from foldproof.data.pixels.fitted import Form
from foldproof.data.survey import Progress
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.plan.features import with_stores
from foldproof.plan.tasks import Model
from foldproof.project import Project
from foldproof.training.task import ModelRequest, Probe
from foldproof.training_data.load import TrainingData


def modelled(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
) -> dict[str, Model]:
    """The model of each experiment, by name, without its images. Raises what building a model raises."""
    requests, probes = probed(project, configs, training_data.dataset, executor, execution)
    models = {
        name: Model(request=request, probe=probes[request], within=training_data.within)
        for name, request in requests.items()
    }
    return with_stores(models, project, execution, shared=True)


def with_images(
    models: Mapping[str, Model],
    configs: Iterable[ExperimentConfig],
    *,
    project: Project,
    training_data: TrainingData,
    execution: ExecutionConfig,
    progress: Progress,
) -> tuple[dict[str, Model], tuple[Notice, ...]]:
    """All the models, those of `configs` with their images decoded; and where not all of these are kept so.

    Raises DataError where images cannot be read.
    """
    forms = {
        config.name: Form.of(config.pixels, size=models[config.name].probe.image_size, within=training_data.within)
        for config in configs
    }
    images = {
        form: at_hand(
            training_data.dataset,
            training_data.folder,
            form,
            cache=project.cache,
            limit_gb=execution.cache_gb,
            most_pixels=training_data.most_pixels,
            progress=partial(progress, "decoding images"),
        )
        for form in dict.fromkeys(forms.values())
    }
    found = {name: replace(models[name], images=images[form].images) for name, form in forms.items()}
    said = tuple(Notice(code="decoded_anew", text=item.said) for item in images.values() if item.said)
    return {**models, **found}, said


def probed(
    project: Project,
    configs: Sequence[ExperimentConfig],
    dataset: Dataset,
    executor: Executor,
    execution: ExecutionConfig,
) -> tuple[dict[str, ModelRequest], dict[ModelRequest, Probe]]:
    """What each experiment asks of its model, by name, and what each such model costs here."""
    requests = {
        config.name: ModelRequest.of(
            config,
            classes=dataset.classes,
            device=execution.device,
            plugins=project.root if own_code(config) else None,
        )
        for config in configs
    }
    return requests, {request: executor.probe(request) for request in dict.fromkeys(requests.values())}
