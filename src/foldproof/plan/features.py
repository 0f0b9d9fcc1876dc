"""Compute the features of frozen backbones that many folds share, before the first fold.

Published weights are those of every fold, so one pass over the images, by all workers together, serves all folds,
epochs, repeats and experiments. Random ones are drawn for each fold: the fold computes its features itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals
from foldproof.errors import FoldproofError
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.plan.tasks import Model
from foldproof.project import Project
from foldproof.training.chunks import CHUNK
from foldproof.training.frozen.rows import FeatureStore, Part, Positions, Wanted, keep, lacking, remove_parts, room_for
from foldproof.training.task import FeatureTask

MOST_CHUNKS = 16  # that a worker is given at once
TURNS = 8  # that each worker gets at least, where there are so many chunks
PART = 2_048  # images after which a pass that is killed need not be done again

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pass:
    """One pass over all images: what rows it gives, and one of the models that it serves."""

    model: Model
    wanted: Wanted
    dataset: Dataset


def with_stores(
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
        model, pixels = models[config.name], config.pixels
        if model.store is not None and model.request.pretrained:
            size = model.probe.image_size
            form = Form.of(pixels, size=size, within=model.within)
            wanted = Wanted.of(model.store, dataset, form, trunk=model.probe.trunk)
            found.setdefault(wanted.path.name, Pass(model, wanted, dataset))
    return tuple(found.values())


def seconds_left(passes: Iterable[Pass]) -> float:
    """The time of what is not kept yet, by one worker alone."""
    return sum(len(lacking(one.wanted)) * one.model.probe.seconds_per_image for one in passes)


def carried_out(passes: Iterable[Pass], executor: Executor, *, progress: Progress) -> tuple[Notice, ...]:
    """Compute and keep what no file has. Notices say what cannot be kept: folds then compute it for themselves."""
    notices = []
    for one in passes:
        try:
            _carry_out(one, executor, progress)
        except FoldproofError as error:
            text = f"{error.what}: each fold computes the features of all images for itself"
            notices.append(Notice(code="features_not_kept", text=text))
    return tuple(notices)


def _carry_out(one: Pass, executor: Executor, progress: Progress) -> None:
    """In parts where there are many images, each a file of its own until all are there."""
    left = lacking(one.wanted)
    done = 0

    def compute(positions: Positions) -> Iterator[Part]:
        nonlocal done
        for span in executor.extract(_tasks(one, positions, executor)):
            done += len(span.positions)
            progress(min(done, len(left)), len(left))
            yield span.positions, span.rows

    if len(left) > PART:
        room_for(one.wanted)
        for start in range(0, len(left), PART):
            block = left[start : start + PART]
            keep(one.wanted.part(block), _numbered_within(block, compute), in_use=False)
    keep(one.wanted, compute)
    if len(left):
        remove_parts(one.wanted)


def _numbered_within(
    block: Positions, compute: Callable[[Positions], Iterable[Part]]
) -> "Callable[[Positions], Iterator[Part]]":
    """Compute rows of a part of the images, whose positions count from the part's beginning."""

    def within(positions: Positions) -> Iterator[Part]:
        for found, rows in compute(block[positions]):
            yield np.searchsorted(block, found), rows

    return within


def _tasks(one: Pass, positions: Positions, executor: Executor) -> Sequence[FeatureTask]:
    """Whole chunks but for the last, so that no image is computed beside black ones without need."""
    model, samples = one.model, one.dataset.samples
    workers = executor.parallel_folds(model.probe.device)
    chunks = max(1, min(MOST_CHUNKS, len(positions) // (CHUNK * TURNS * workers)))
    parts = [positions[start : start + chunks * CHUNK] for start in range(0, len(positions), chunks * CHUNK)]
    anew = isinstance(model.images, Originals)
    return [
        FeatureTask(
            model=replace(model.request, device=model.probe.device),
            trunk=model.probe.trunk,
            images=model.images,
            positions=part,
            samples=tuple(samples[position] for position in part) if anew else (),
        )
        for part in parts
    ]


def plain_path(config: ExperimentConfig) -> tuple[Notice, ...]:
    """Warn about a frozen backbone with augmentation."""
    if not config.train.freeze_backbone or config.train.augment == "none":
        return ()
    text = (
        f"{config.name}: train.augment is {config.train.augment}, so every image goes through the frozen backbone "
        "in every epoch; with none each goes through it once"
    )
    return (Notice(code="features_of_augmented", text=text),)
