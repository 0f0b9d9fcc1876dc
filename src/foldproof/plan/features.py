"""Compute the features of frozen backbones that many folds share, before the first fold.

Published weights are those of every fold, so one pass over the images, by all workers together, serves all folds,
epochs, repeats and experiments. Random ones are drawn for each fold: the fold computes its features itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.originals import Originals
from foldproof.errors import FoldproofError
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.plan.tasks import Model
from foldproof.project import Project
from foldproof.training.chunks import CHUNK
from foldproof.training.frozen.rows import Compute, FeatureRows, FeatureStore, Part, Positions, keep, lacking
from foldproof.training.task import FeatureTask, ModelRequest

MOST_CHUNKS = 16  # that a worker is given at once
TURNS = 8  # that each worker gets at least, where there are so many chunks

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass over all images: the `task` of all of them, and where its rows are kept."""

    task: FeatureTask
    rows: FeatureRows
    seconds_per_image: float = 0.0


def add_feature_stores(
    models: Mapping[str, Model], project: Project, execution: ExecutionConfig, *, shared: bool
) -> dict[str, Model]:
    """The models of experiments by name, those of frozen backbones with where their features are kept.

    `shared`: features of published weights will be there before the first fold.
    """
    return {
        name: model
        if not model.request.freeze_backbone
        else replace(model, store=_store(model, project, execution), featured=shared and model.request.pretrained)
        for name, model in models.items()
    }


def _store(model: Model, project: Project, execution: ExecutionConfig) -> FeatureStore:
    return FeatureStore(
        cache=project.cache,
        limit_gb=execution.cache_gb,
        width=model.probe.features,
        backbone=model.request.backbone,
        numeric_class=replace(model.probe.numeric_class, parts=""),  # which come after a frozen backbone
        precision=model.request.precision,
    )


def passes(models: Mapping[str, Model], configs: Iterable[ExperimentConfig], dataset: Dataset) -> tuple[Pass, ...]:
    """The passes that the experiments share, each once."""
    found: dict[str, Pass] = {}
    for config in configs:
        model = models[config.name]
        if model.store is not None and model.request.pretrained:
            rows = FeatureRows.of(model.store, dataset, model.form, trunk=model.probe.trunk)
            request = replace(model.request, device=model.probe.device)
            task = task_of_all(request, dataset, model.images, trunk=model.probe.trunk)
            one = Pass(task=task, rows=rows, seconds_per_image=model.probe.seconds_per_image)
            found.setdefault(rows.path.name, one)
    return tuple(found.values())


def task_of_all(request: ModelRequest, dataset: Dataset, images: Path | Originals, *, trunk: str = "") -> FeatureTask:
    """Put all images through a frozen backbone."""
    return FeatureTask(
        model=request,
        trunk=trunk,
        images=images,
        positions=np.arange(len(dataset)),
        samples=dataset.samples if isinstance(images, Originals) else (),
    )


def seconds_left(passes: Iterable[Pass]) -> float:
    """The time of what is not kept yet, by one worker alone."""
    return sum(len(lacking(one.rows)) * one.seconds_per_image for one in passes)


def carried_out(passes: Iterable[Pass], executor: Executor, *, progress: Progress) -> tuple[Notice, ...]:
    """Compute and keep what no file has. Notices say what cannot be kept: folds then compute it for themselves."""
    notices = []
    for one in passes:
        try:
            keep(one.rows, computing(one.task, executor, progress))
        except FoldproofError as error:
            text = f"{error.what}: each fold computes the features of all images for itself"
            notices.append(Notice(code="features_not_kept", text=text))
    return tuple(notices)


def computing(task: FeatureTask, executor: Executor, progress: Progress) -> Compute:
    """How the workers of `executor` compute the rows of some of the images of `task`."""

    def compute(positions: Positions) -> Iterator[Part]:
        done = 0
        for span in executor.extract([*_shares(task, positions, executor)]):
            done += len(span.positions)
            progress(done, len(positions))
            yield span.positions, span.rows

    return compute


def _shares(task: FeatureTask, positions: Positions, executor: Executor) -> Iterator[FeatureTask]:
    """Whole chunks but for the last, so that no image is computed beside black ones without need."""
    workers = executor.parallel_folds(task.model.device)
    chunks = max(1, min(MOST_CHUNKS, len(positions) // (CHUNK * TURNS * workers)))
    for start in range(0, len(positions), chunks * CHUNK):
        part = positions[start : start + chunks * CHUNK]
        samples = tuple(task.samples[position] for position in part) if task.samples else ()
        yield replace(task, positions=part, samples=samples)


def plain_path(config: ExperimentConfig) -> tuple[Notice, ...]:
    """Warn about a frozen backbone with augmentation."""
    if not config.train.freeze_backbone or config.train.augment == "none":
        return ()
    text = (
        f"{config.name}: train.augment is {config.train.augment}, so every image goes through the frozen backbone "
        "in every epoch; with none each goes through it once"
    )
    return (Notice(code="features_of_augmented", text=text),)
