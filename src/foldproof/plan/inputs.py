"""Decode the images and compute the features of what a plan trains, and of nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from foldproof.config.schema import ExperimentConfig
from foldproof.data.pixels.at_hand import decode_at_hand
from foldproof.data.pixels.originals import Originals
from foldproof.data.survey import Progress, no_progress
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.plan.experiment import RunContext
from foldproof.plan.features import add_feature_stores, carried_out, passes
from foldproof.plan.make import Plan
from foldproof.plan.tasks import Model


def prepare_inputs(plan: Plan, executor: Executor, *, progress: Progress = no_progress) -> Plan:
    """The same plan, its models with their images. Raises DataError where images cannot be read."""
    context = plan.context
    models, undecoded = _with_images(plan.models, plan.to_train, context, progress)
    shared = passes(models, plan.to_train, context.training_data.dataset)
    unkept = carried_out(shared, executor, progress=partial(progress, "computing features"))
    if unkept:
        models = add_feature_stores(models, context.project, context.execution, shared=False)
    return plan.ready(models, (*undecoded, *unkept))


def _with_images(
    models: Mapping[str, Model], configs: Iterable[ExperimentConfig], context: RunContext, progress: Progress
) -> tuple[dict[str, Model], tuple[Notice, ...]]:
    """All the models, those of `configs` with their images decoded; and where not all of these are kept so."""
    training_data = context.training_data
    forms = {config.name: models[config.name].form for config in configs}
    images = {
        form: decode_at_hand(
            training_data.dataset,
            Originals(training_data.folder, form, training_data.most_pixels),
            cache=context.project.cache,
            limit_gb=context.execution.cache_gb,
            progress=partial(progress, "decoding images"),
        )
        for form in dict.fromkeys(forms.values())
    }
    found = {name: replace(models[name], images=images[form].images) for name, form in forms.items()}
    said = tuple(Notice(code="decoded_anew", text=item.said) for item in images.values() if item.said)
    return {**models, **found}, said
