"""Make a `FoldTask` for each fold of an experiment, with its FoldKey and estimated time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from foldproof import folds
from foldproof.config.identity import digest
from foldproof.config.schema import ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals
from foldproof.errors import FoldsError
from foldproof.events.fold_id import FoldId
from foldproof.folds import Fold
from foldproof.plan.splits import Splits
from foldproof.training.chunks import batch_sizes
from foldproof.training.frozen.rows import FeatureStore
from foldproof.training.task import FoldTask, ModelRequest, Probe

NOT_DECODED = Path()
Selection = frozenset[tuple[int | None, int]]  # (repeat, fold); None is every repeat


@dataclass(frozen=True, kw_only=True)
class Model:
    """An experiment's model: what was asked for, what it costs here, and the images as it sees them, once decoded.

    `store`: where features of a frozen backbone are kept; `featured`: they are there before the first fold.
    """

    request: ModelRequest
    probe: Probe
    form: Form
    images: Path | Originals = NOT_DECODED
    store: FeatureStore | None = None
    featured: bool = False


def tasks(
    config: ExperimentConfig,
    splits: Splits,
    model: Model,
    *,
    folder: Path,
    identity: str,
    keys: Mapping[FoldId, str],
    checkpoint_seconds: float,
    cuda_graphs: bool,
    wanted: Iterable[FoldId],
) -> tuple[FoldTask, ...]:
    """The folds `wanted`, as work that writes below the run's `folder`. `keys`: their FoldKeys."""
    fold_ids = set(wanted)
    return tuple(
        FoldTask(
            run=folder.name,
            repeat=fold.repeat,
            fold=fold.index,
            identity=identity,
            fold_key=keys[fold.id],
            model=replace(model.request, device=model.probe.device),
            form=model.form,
            train=config.train,
            dataset=folder / "dataset.json",
            images=model.images,
            train_positions=fold.train,
            validation_positions=fold.validation,
            folder=fold.id.folder(folder),
            checkpoint_seconds=checkpoint_seconds,
            cuda_graphs=cuda_graphs,
            features=model.store,
        )
        for made in splits.of(config)
        for fold in made.folds(config.folds.k)
        if fold.id in fold_ids
    )


def select(config: ExperimentConfig, selection: Selection | None) -> tuple[FoldId, ...]:
    """The folds of an experiment that are selected; None is all. Raises FoldsError for one that is not there."""
    there = [FoldId(repeat, fold) for repeat in range(config.folds.repeats) for fold in range(config.folds.k)]
    if selection is None:
        return tuple(there)
    for repeat, fold in sorted(selection, key=str):
        if (repeat or 0, fold) not in there:
            named = FoldId(repeat or 0, fold).short(repeats=1 if repeat is None else 2)
            also = f", of repeats 0 to {config.folds.repeats - 1}" if config.folds.repeats > 1 else ""
            raise FoldsError(
                f"{config.name} has no fold {named}", next_step=f"its folds are 0 to {config.folds.k - 1}{also}"
            )
    return tuple(one for one in there if selection & {(None, one.fold), one})


def fold_keys(config: ExperimentConfig, splits: Splits, model: Model) -> dict[FoldId, str]:
    """The FoldKey of every fold of an experiment."""
    return {
        fold.id: fold_key(
            config,
            splits.dataset,
            fold,
            image_size=model.form.size,
            numeric_class=model.probe.numeric_class,
            within=model.form.within,
        )
        for made in splits.of(config)
        for fold in made.folds(config.folds.k)
    }


def fold_key(
    config: ExperimentConfig,
    dataset: Dataset,
    fold: Fold,
    *,
    image_size: object,
    numeric_class: object,
    within: object = None,
) -> str:
    """What decides whether one fold's result can stand for another: settings, images, split and numeric class.

    `within`: the values from black to white; None for 8-bit images.
    """
    return digest(
        {
            **({} if within is None else {"range": within}),
            "pixels": config.pixels,
            "train": config.train,
            "image_size": image_size,
            "fingerprint": dataset.fingerprint,
            "repeat": fold.repeat,
            "fold": fold.index,
            "validation": folds.split_digest(dataset, fold),
            "numeric_class": numeric_class,
        }
    )


def estimated_seconds(task: FoldTask, probe: Probe, *, images: int) -> float:
    """Time of one fold from the probe's measurements, alone on its cores.

    `images`: how many go through a frozen backbone before the first epoch.
    """
    epochs = task.train.epochs - task.epochs_of_others
    steps = epochs * len(batch_sizes(len(task.train_positions), task.train.batch_size))
    if task.train.freeze_backbone:
        if task.train.augment != "none":
            images += epochs * len(task.train_positions)
        return images * probe.seconds_per_image + steps * probe.seconds_per_step
    scored = epochs * len(task.validation_positions)
    return steps * probe.seconds_per_step + scored * probe.seconds_per_image
