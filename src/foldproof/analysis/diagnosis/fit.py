"""Find overfitting, underfitting, and training that was too short or too long, from learning curves. Pure."""

import math
from collections.abc import Iterator

from foldproof.analysis.diagnosis import words
from foldproof.analysis.diagnosis.evidence import Diagnosis, Seen

LOW = 0.85  # a training accuracy below it
ALIKE = 0.05  # of accuracy: as far apart are training and validation that say the same
STILL = 0.02  # of the loss: a last epoch in which it falls by as much still falls
RISEN = 0.1  # of its minimum: what a validation loss rises by at least
GAP = 0.15  # of accuracy, between training and validation
GAIN = 0.1  # of the validation loss, in the last epoch
ALREADY = 0.98  # a validation accuracy that longer training cannot raise much


def underfitting(seen: Seen) -> Iterator[Diagnosis]:
    """A low training accuracy with validation beside it."""
    if not seen.validated:
        return
    accuracy, validation = seen.last("train_accuracy"), seen.last("val_accuracy")
    learned = accuracy > seen.chance_accuracy + ALIKE
    if accuracy >= LOW or accuracy - validation > ALIKE or not learned:
        return
    losses = seen.mean("train_loss")
    fall = float((losses[-2] - losses[-1]) / losses[-2]) if seen.epochs > 1 else math.inf
    evidence = {"train_accuracy": accuracy, "val_accuracy": validation, "epochs": seen.epochs}
    figures = f"the training accuracy is {words.percent(accuracy)}, validation {words.percent(validation)}"
    if fall < STILL:
        text = f"{figures}, and the training loss no longer falls: looks like underfitting; try {_larger(seen)}"
    elif seen.epochs > 1:
        text = (
            f"{figures}, and the training loss still fell by {words.percent(fall)} in the last epoch: looks like "
            f"underfitting, too short a training; try train.epochs: {2 * seen.epochs}"
        )
    else:
        text = f"{figures} after one epoch: looks like underfitting, too short a training; try train.epochs: 5"
    yield Diagnosis("underfitting", text, evidence if seen.epochs == 1 else {**evidence, "fall": fall})


def overfitting(seen: Seen) -> Iterator[Diagnosis]:
    """A validation loss that rose from its minimum while the training loss fell, or accuracies far apart."""
    if not seen.validated or seen.epochs < 2:
        return
    losses, training = seen.mean("val_loss"), seen.mean("train_loss")
    best = int(losses.argmin())
    rise = float((losses[-2:].mean() - losses[best]) / max(losses[best], 1e-12))
    if seen.epochs - best > 2 and rise >= RISEN and training[-1] < training[best] and _rises_in_folds(seen, best):
        before, after = seen.mean("val_accuracy")[best], seen.last("val_accuracy")
        course = "fell" if after < before - 0.005 else "did not fall"
        yield Diagnosis(
            "overfitting",
            f"the validation loss rose by {words.percent(rise)} from epoch {best + 1} on while the training loss fell "
            f"from {words.loss(training[best])} to {words.loss(training[-1])}; validation accuracy {course} "
            f"({words.percent(before)} to {words.percent(after)}): looks like overfitting; {_remedy(seen, best)}",
            {
                "best_epoch": best + 1,
                "epochs": seen.epochs,
                "rise": rise,
                "val_loss_best": float(losses[best]),
                "val_loss_last": float(losses[-1]),
                "val_accuracy_best": float(before),
                "val_accuracy_last": after,
            },
        )
        return
    apart = seen.mean("train_accuracy") - seen.mean("val_accuracy")
    gap, validation = float(apart[-2:].min()), seen.last("val_accuracy")
    noise = 2 * math.sqrt(validation * (1 - validation) / max(seen.images, 1))
    if gap >= max(GAP, noise):
        training_accuracy = seen.last("train_accuracy")
        yield Diagnosis(
            "overfitting",
            f"the training accuracy is {words.percent(training_accuracy)}, validation {words.percent(validation)}: "
            f"looks like overfitting, memorised images; {_remedy(seen, seen.epochs)}",
            {"train_accuracy": training_accuracy, "val_accuracy": validation, "gap": gap},
        )


def best_epoch_last(seen: Seen) -> Iterator[Diagnosis]:
    """Most folds are best in their last epoch, and validation still gains."""
    if not seen.validated or seen.epochs < 2:
        return
    losses = seen.mean("val_loss")
    at_last = int((seen.all("val_loss").argmin(axis=1) == seen.epochs - 1).sum())
    gain = float((losses[-2] - losses[-1]) / max(losses[-2], 1e-12))
    if 2 * at_last <= seen.folds or gain < GAIN or seen.last("val_accuracy") >= ALREADY:
        return
    yield Diagnosis(
        "best-epoch-last",
        f"the best epoch is the last {words.phrase_folds(at_last, seen.folds)}, and the validation loss still fell by "
        f"{words.percent(gain)} in it: looks like a training that ends too early; try train.epochs: {2 * seen.epochs}",
        {"folds": at_last, "of_folds": seen.folds, "gain": gain, "epochs": seen.epochs},
    )


def best_epoch_first(seen: Seen) -> Iterator[Diagnosis]:
    """Most folds are best in their first epoch of several."""
    if not seen.validated or seen.epochs < 3:
        return
    losses = seen.mean("val_loss")
    at_first = int((seen.all("val_loss").argmin(axis=1) == 0).sum())
    if 2 * at_first <= seen.folds or losses[-1] <= losses[0]:
        return
    yield Diagnosis(
        "best-epoch-first",
        f"the best epoch is the first {words.phrase_folds(at_first, seen.folds)} "
        f"(validation loss {words.loss(losses[0])}, "
        f"{words.loss(losses[-1])} at the end): consistent with too long a training or too high a learning rate; "
        f"try {words.rate(seen.lr / 10)}",
        {
            "folds": at_first,
            "of_folds": seen.folds,
            "val_loss_first": float(losses[0]),
            "val_loss_last": float(losses[-1]),
        },
    )


def _rises_in_folds(seen: Seen, best: int) -> bool:
    """Whether the rise after epoch `best` is more than how far the folds differ in it."""
    losses = seen.all("val_loss")
    rises = losses[:, -2:].mean(axis=1) - losses[:, best]
    if len(rises) < 3:
        return bool((rises > 0).all())
    return bool(rises.mean() > 2 * rises.std(ddof=1) / math.sqrt(len(rises)))


def _remedy(seen: Seen, best: int) -> str:
    """What makes a model remember less; where nothing carries over to other images, what to look at instead."""
    if seen.last("val_accuracy") <= seen.chance_accuracy + ALIKE:
        return (
            f"validation is no better than guessing ({words.percent(seen.chance_accuracy)}): look at the labels first"
        )
    tries = [f"train.epochs: {best + 1}"] if 1 <= best < seen.epochs - 1 else []
    if seen.setting("augment") == "none":
        tries.append("train.augment: light")
    if not seen.setting("weight_decay"):
        tries.append("train.weight_decay: 0.0005")
    return f"try {' or '.join(tries) if tries else 'more images'}"


def _larger(seen: Seen) -> str:
    """What lets a model fit more."""
    if seen.setting("freeze_backbone"):
        return "train.freeze_backbone: false"
    if seen.setting("weight_decay"):
        return "train.weight_decay: 0"
    return "a larger train.backbone"
