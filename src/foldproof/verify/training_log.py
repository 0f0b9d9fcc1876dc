"""Check that the training metrics of a fold follow from the loss of every step."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foldproof.config.schema import TrainSettings
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.events.types import EpochFinished, body_from_plain, comparable_body
from foldproof.folds import Fold
from foldproof.reproduce.recorded import Recorded, losses
from foldproof.reproduce.states import stored
from foldproof.training.chunks import batch_sizes

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_CLOSE = 1e-9  # relative; sums of float64 in another order


def check_fold(recorded: Recorded, fold: Fold) -> Iterator[str]:
    """What is wrong with the epochs of a fold, each as a sentence without the fold's name."""
    record, settings = recorded.record, recorded.config.train
    started, epochs = record.fold_started.get(fold.id), record.epochs.get(fold.id, ())
    if started is not None:
        sides = ((started.train_images, fold.train, "train"), (started.validation_images, fold.validation, "validate"))
        for said, positions, what in sides:
            if said != len(positions):
                yield f"its journal says that {said} images {what}, folds.csv has {len(positions)}"
    if [epoch.epoch for epoch in epochs] != list(range(1, len(epochs) + 1)):
        yield "its epochs are not 1, 2, 3 and so on"
        return
    if fold.id in record.finished and len(epochs) != settings.epochs:
        yield f"it finished after {len(epochs)} of {settings.epochs} epochs"
    sizes = batch_sizes(len(fold.train), settings.batch_size)
    steps = losses(recorded.folder, fold.id)
    if steps is not None and len(steps) < len(epochs) * len(sizes):
        yield f"steps.f32 holds {len(steps)} losses of {len(epochs) * len(sizes)} steps"
    for epoch in epochs:
        if epoch.steps != epoch.epoch * len(sizes):
            yield f"epoch {epoch.epoch} ends after step {epoch.steps}; that is {epoch.epoch * len(sizes)}"
        if not _is_close(epoch.lr, settings.lr * _schedule(settings, epoch.epoch)):
            yield f"epoch {epoch.epoch} has the learning rate {epoch.lr}, which is not that of its settings"
        yield from _of_losses(epoch, steps, sizes)


def check_states(recorded: Recorded, fold_id: FoldId) -> Iterator[str]:
    """Whether the states that a fold has stored know of the same epochs as its journal, where there are any."""
    epochs = recorded.record.epochs.get(fold_id, ())
    for state in stored(recorded.folder, fold_id):
        try:
            bodies = [body_from_plain(raw) for raw in state.description()["bodies"]]
        except (DamagedFile, OSError, *_UNREADABLE) as error:
            yield f"{state.name} cannot be read: {error}"
            continue
        known = [body for body in bodies if isinstance(body, EpochFinished)]
        if any(comparable_body(old) != comparable_body(new) for old, new in zip(known, epochs, strict=False)):
            yield f"{state.name} knows of other epochs than its journal"


def _of_losses(epoch: EpochFinished, steps: NDArray[np.float32] | None, sizes: NDArray[np.int64]) -> Iterator[str]:
    last = epoch.epoch * len(sizes)
    if steps is None or len(steps) < last:
        return
    own = steps[last - len(sizes) : last].astype(np.float64)
    mean = math.fsum(own * sizes) / int(sizes.sum())
    if not _is_close(mean, epoch.train_loss):
        yield f"epoch {epoch.epoch} has the training loss {epoch.train_loss:.6g}; its steps have {mean:.6g}"


def _schedule(settings: TrainSettings, epoch: int) -> float:
    """The factor of the rate in an epoch for a built-in schedule; nan for others, which would have to be run.

    `training.optim` has the same formulas; they stand here again so that no torch is imported to read a record.
    """
    match settings.schedule:
        case "constant":
            return 1.0
        case "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * (epoch - 1) / settings.epochs))
    return math.nan


def _is_close(one: float, other: float) -> bool:
    return math.isnan(other) or math.isclose(one, other, rel_tol=_CLOSE, abs_tol=1e-12)
