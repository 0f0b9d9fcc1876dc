"""Compute out-of-fold predictions from stored weights and compare them with the stored ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldproof.errors import DamagedFile
from foldproof.records import predictions
from foldproof.reproduce.recorded import Recorded
from foldproof.training.checkpoint import Checkpoint, weights_sha256
from foldproof.training.fold import FoldInputs, prepare
from foldproof.training.loop import Scores, evaluate
from foldproof.training.task import FoldTask

TOLERANCE = 1e-3  # of a probability, with different arithmetic


@dataclass(frozen=True)
class Rescored:
    """Problems in sentences, and the largest difference of a probability."""

    problems: tuple[str, ...]
    largest: float


def rescore(recorded: Recorded, task: FoldTask, weights: Path, *, same_class: bool) -> Rescored:
    """Load the weights of a fold, let them judge the fold's validation part, and compare with what is stored.

    In another numeric class probabilities may differ by TOLERANCE.
    """
    fold_id = task.fold_id
    finished = recorded.record.finished[fold_id]
    try:
        checkpoint = Checkpoint.load(weights)
        stored = predictions.read(
            recorded.folder,
            task.folder.name,
            classes=len(recorded.dataset.classes),
            sha256=finished.predictions_sha256,
        )
    except DamagedFile as error:
        return Rescored((error.what,), 0.0)
    if problems := tuple(_of_another_fold(recorded, task, checkpoint)):
        return Rescored(problems, 0.0)
    fold = prepare(task)
    try:
        fold.classifier.load_state_dict(dict(checkpoint.weights))
    except RuntimeError as error:
        return Rescored((f"its weights belong to a different network: {str(error).splitlines()[0]}",), 0.0)
    now = _probabilities(fold)
    then = {sample.sha256: row for sample, row in zip(stored.samples, stored.probabilities, strict=True)}
    samples = [recorded.dataset.samples[position] for position in task.validation_positions]
    before = np.array([then[sample.sha256] for sample in samples], dtype=np.float32).reshape(now.shape)
    largest = float(np.abs(before.astype(np.float64) - now.astype(np.float64)).max(initial=0.0))
    if largest > (0.0 if same_class else TOLERANCE):
        wrong = int((np.abs(before - now).max(axis=1) > (0.0 if same_class else TOLERANCE)).sum())
        said = f"{wrong} of {len(now)} stored predictions are not those of its weights (up to {largest:.3g} apart)"
        return Rescored((said,), largest)
    return Rescored((), largest)


def _of_another_fold(recorded: Recorded, task: FoldTask, checkpoint: Checkpoint) -> list[str]:
    finished = recorded.record.finished[task.fold_id]
    found = []
    if weights_sha256(checkpoint.weights) != finished.weights_sha256:
        found.append("its weights are not those that its journal names")
    said = (checkpoint.run, checkpoint.identity, checkpoint.repeat, checkpoint.fold)
    if said != (recorded.record.run, recorded.record.identity, task.repeat, task.fold):
        found.append("its weights belong to a different run, experiment or fold")
    if tuple(checkpoint.classes) != recorded.dataset.classes:
        found.append("its weights have different classes")
    return found


def _probabilities(fold: FoldInputs) -> NDArray[np.float32]:
    """What the weights say of the validation part, by the function that training uses.  # [validation image, class]"""
    steps = evaluate(fold, fold.batches)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            scored: Scores = done.value
            return scored.probabilities
