"""Check that every score of a fold follows from its out-of-fold predictions."""

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from foldproof import registry
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.folds import Fold
from foldproof.metrics import accuracy, log_loss, recall_by_class
from foldproof.records import predictions
from foldproof.records.predictions import Predictions
from foldproof.reproduce.recorded import Recorded

ALWAYS_MEASURED = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "log_loss",
)  # by every version: a metric added later is in no older record
_CLOSE = 1e-9
_LOSS_CLOSE = 1e-4  # of a softmax in float32 against its logits
_ALMOST_CERTAIN = 1e-30  # below that a probability in float32 says no more of its logit


def check_fold(recorded: Recorded, fold: Fold) -> Iterator[str]:
    """What is wrong with the result of a fold, each as a sentence without the fold's name."""
    record = recorded.record
    finished = record.finished[fold.id]
    classes = recorded.dataset.classes
    name = fold.id.folder_name
    try:
        made = predictions.read(recorded.folder, name, classes=len(classes), sha256=finished.predictions_sha256)
    except DamagedFile as error:
        yield error.what
        return
    expected = Counter(recorded.dataset.samples[position][:2] for position in fold.validation)
    there = Counter(sample[:2] for sample in made.samples)
    if there != expected:
        yield (
            f"its predictions are of {sum(there.values())} images; {sum((expected - there).values())} that validate in "
            f"it are missing, {sum((there - expected).values())} do not"
        )
        return
    yield from _of_scores(recorded, made, fold.id)
    last = record.epochs[fold.id][-1]
    if finished.weights_sha256 != last.weights_sha256:
        yield "the weights at its end are not those of its last epoch"
    if finished.epochs != last.epoch:
        yield f"it finished after {finished.epochs} epochs; the last that it has is {last.epoch}"


def _of_scores(recorded: Recorded, made: Predictions, fold_id: FoldId) -> Iterator[str]:
    finished, last = recorded.record.finished[fold_id], recorded.record.epochs[fold_id][-1]
    number = {name: index for index, name in enumerate(recorded.dataset.classes)}
    labels = np.array([number[sample.label] for sample in made.samples], dtype=np.int64)
    known = registry.SEAMS["metrics"]  # built in: another's metric would be code to run
    for name in sorted(known):
        if name not in finished.scores:
            if name in ALWAYS_MEASURED:
                yield f"its result has no {name}"
        elif not _same(finished.scores[name], registry.load("metrics", name)(made.probabilities, labels)):
            found = registry.load("metrics", name)(made.probabilities, labels)
            yield f"its {name} is recorded as {finished.scores[name]:.6g}; its predictions give {found:.6g}"
    recall = recall_by_class(made.probabilities, labels)
    for index, name in enumerate(recorded.dataset.classes):
        if not _same(finished.per_class.get(name, -1.0), float(recall[index])):
            yield f"its recall of {name} is not that of its predictions"
    if not _same(last.val_accuracy, accuracy(made.probabilities, labels)):
        yield f"its last epoch has the accuracy {last.val_accuracy:.6g}, which is not that of its predictions"
    loss = log_loss(made.probabilities, labels)
    least = made.probabilities[np.arange(len(labels)), labels].min(initial=1.0)
    if least > _ALMOST_CERTAIN and not math.isclose(loss, last.val_loss, rel_tol=_LOSS_CLOSE, abs_tol=1e-5):
        yield f"its last epoch has the loss {last.val_loss:.6g}; its predictions give {loss:.6g}"


def _same(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=_CLOSE, abs_tol=1e-12)
