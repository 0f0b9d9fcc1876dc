"""Find failed optimisation in learning curves: diverged, unstable, a rate too high or too low. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foldproof.analysis.diagnosis import words
from foldproof.analysis.diagnosis.evidence import Diagnosis, FoldCurves, Seen
from foldproof.events.fold_id import FoldId

THROWN = 1.5  # times the loss of guessing: a mean training loss that high was thrown there
AT_CHANCE = 0.9  # of the loss of knowing the shares: nothing was learned
ABOVE_CHANCE = 0.05  # of accuracy: within it, nothing was learned
JUMP = 1.1  # an epoch's training loss after the one before
LITTLE = 0.3  # of its first value: what a slow training loss falls by at most
STEADY = 0.5  # the last fall of a nearly linear curve, of its first
ALIKE = 0.05  # of accuracy: as far apart are training and validation that say the same
SWING = 1.4  # a validation loss after the one before
SWING_ACCURACY = 0.03
SWING_IMAGES = 5


@dataclass(frozen=True)
class Swing:
    """The validation loss of one fold that jumped in `epoch`, counted from 1, while training went on."""

    fold_id: FoldId
    epoch: int
    before: float
    after: float
    accuracy_before: float
    accuracy_after: float


def diverged(seen: Seen) -> Iterator[Diagnosis]:
    """Folds whose loss is not a number any more, or grew far beyond that of guessing."""
    if not seen.diverged:
        return
    fold_ids = tuple(seen.diverged)
    every = len(fold_ids) + seen.folds
    yield Diagnosis(
        "diverged",
        f"{words.folds(fold_ids)} diverged: {seen.diverged[fold_ids[0]]}; consistent with too high a learning rate: "
        f"try {_lower_rate(seen)}",
        {"folds": len(fold_ids), "of_folds": every, "lr": seen.lr},
        fold_ids[0] if len(fold_ids) < every else None,
    )


def rate_too_high(seen: Seen) -> Iterator[Diagnosis]:
    """A training loss that was thrown far above that of guessing, or that jumps and stays near it."""
    losses = seen.mean("train_loss")
    highest = int(losses.argmax())
    evidence = {"train_loss": float(losses[highest]), "epoch": highest + 1, "guessing": seen.guessing, "lr": seen.lr}
    if losses[highest] > THROWN * seen.guessing:
        yield Diagnosis(
            "rate-too-high",
            f"the training loss was {words.loss(losses[highest])} in epoch {highest + 1}, guessing gives "
            f"{words.loss(seen.guessing)}: looks like too high a learning rate; try {_lower_rate(seen)}",
            evidence,
        )
        return
    changes = seen.all("train_loss")
    jumps = changes[:, 1:] > JUMP * changes[:, :-1]
    if jumps.size and jumps.mean() >= 1 / 3 and losses[-1] >= AT_CHANCE * seen.knowing_shares:
        yield Diagnosis(
            "rate-too-high",
            f"the training loss jumps up {int(jumps.sum())} times in {jumps.size} epochs and ends at "
            f"{words.loss(losses[-1])}, guessing gives {words.loss(seen.guessing)}: consistent with too high a "
            f"learning rate; try {_lower_rate(seen)}",
            {**evidence, "jumps": int(jumps.sum()), "transitions": int(jumps.size)},
        )


def nothing_learned(seen: Seen) -> Iterator[Diagnosis]:
    """A training loss and accuracy that end where knowing nothing but the sizes of the classes would."""
    loss, accuracy = seen.last("train_loss"), seen.last("train_accuracy")
    if loss < AT_CHANCE * seen.knowing_shares or accuracy > seen.chance_accuracy + ABOVE_CHANCE:
        return
    yield Diagnosis(
        "nothing-learned",
        f"after {seen.epochs} epochs the training accuracy is {words.percent(accuracy)}, guessing gives "
        f"{words.percent(seen.chance_accuracy)}: nothing was learned, whatever the cause; look whether the images show "
        f"their classes, then try {words.rate(10 * seen.lr)} and {words.rate(seen.lr / 10)}",
        {"train_loss": loss, "train_accuracy": accuracy, "chance_accuracy": seen.chance_accuracy},
    )


def rate_too_low(seen: Seen) -> Iterator[Diagnosis]:
    """A training loss that falls slowly and nearly linearly, with validation beside it."""
    losses = seen.mean("train_loss")
    if seen.epochs < 3 or not 0 < losses[0] <= THROWN * seen.guessing:
        return
    falls = -np.diff(losses)
    fallen = float((losses[0] - losses[-1]) / losses[0])
    linear = bool((falls > 0).all()) and falls[-1] >= STEADY * falls[0]
    if not linear or fallen > LITTLE or losses[-1] < seen.knowing_shares / 2:
        return
    if seen.validated and seen.last("train_accuracy") - seen.last("val_accuracy") > ALIKE:
        return
    yield Diagnosis(
        "rate-too-low",
        f"the training loss fell from {words.loss(losses[0])} to {words.loss(losses[-1])} in {seen.epochs} epochs, by "
        f"nearly as much in the last as in the first: looks like too low a learning rate; "
        f"try {words.rate(10 * seen.lr)}",
        {"train_loss_first": float(losses[0]), "train_loss_last": float(losses[-1]), "fallen": fallen, "lr": seen.lr},
    )


def unstable(seen: Seen) -> Iterator[Diagnosis]:
    """A validation loss that jumps in one epoch while the training loss does not, in a third of the folds."""
    if not seen.validated:
        return
    swings = [swing for fold_id, curves in seen.curves.items() for swing in swings_of(fold_id, curves)]
    fold_ids = tuple(dict.fromkeys(swing.fold_id for swing in swings))
    if not swings or 3 * len(fold_ids) < seen.folds:
        return
    worst = max(swings, key=lambda swing: swing.accuracy_before - swing.accuracy_after)
    remedy = "train.schedule: cosine" if seen.setting("schedule") == "constant" else _lower_rate(seen)
    yield Diagnosis(
        "unstable",
        f"the validation loss swings from epoch to epoch {words.phrase_folds(len(fold_ids), seen.folds)}: in "
        f"{worst.fold_id} from {words.loss(worst.before)} to {words.loss(worst.after)} in epoch "
        f"{worst.epoch} (accuracy {words.percent(worst.accuracy_before)} to {words.percent(worst.accuracy_after)}) "
        f"while training went on; consistent with steps that are too large at the end: try {remedy}",
        {
            "folds": len(fold_ids),
            "of_folds": seen.folds,
            "swings": len(swings),
            "epoch": worst.epoch,
            "val_loss_before": worst.before,
            "val_loss_after": worst.after,
            "val_accuracy_before": worst.accuracy_before,
            "val_accuracy_after": worst.accuracy_after,
        },
    )


def swings_of(fold_id: FoldId, curves: FoldCurves) -> Iterator[Swing]:
    """Where one fold's validation loss jumped and came back, or jumped in the last epoch after it had fallen."""
    loss, accuracy, train = curves.val_loss, curves.val_accuracy, curves.train_loss
    for now in range(1, len(loss)):
        dropped = float(accuracy[now - 1] - accuracy[now])
        jumped = loss[now] > SWING * loss[now - 1] and train[now] < JUMP * train[now - 1]
        felt = dropped >= SWING_ACCURACY and dropped * curves.images >= SWING_IMAGES
        if now + 1 < len(loss):
            came_back = loss[now + 1] < (loss[now - 1] + loss[now]) / 2
        else:
            came_back = now >= 2 and bool(loss[now - 1] <= loss[now - 2])
        if jumped and felt and came_back:
            before, after = float(loss[now - 1]), float(loss[now])
            yield Swing(fold_id, now + 1, before, after, float(accuracy[now - 1]), float(accuracy[now]))


def _lower_rate(seen: Seen) -> str:
    return words.rate(seen.lr / 10)
