"""Train a `FoldTask` and yield what happens: the training loop, on one page.

Every random choice is a function of a key (`keyed.py`), so a fold goes on from a `State` to the same bits; nothing is
called back and nothing outside the fold's folder is written. Start with `train`.
"""

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from foldproof import registry
from foldproof.errors import TrainingError
from foldproof.events.types import DIVERGED, Body, CheckpointSaved, EpochFinished, FoldFinished, FoldStarted
from foldproof.metrics import recall_by_class
from foldproof.records import predictions
from foldproof.training.batches import Batches
from foldproof.training.checkpoint import Checkpoint, Preprocessing, save_tensors, weights_sha256
from foldproof.training.chunks import LEAST_TO_TRAIN, batch_sizes, chunks
from foldproof.training.fold import FoldInputs, prepare
from foldproof.training.gpu.sending import sent
from foldproof.training.keyed import order
from foldproof.training.resuming.saver import Saver
from foldproof.training.resuming.state import State
from foldproof.training.resuming.state_files import KEPT, prune
from foldproof.training.steps import append_losses
from foldproof.training.stopwatch import STILL, Running, Watch
from foldproof.training.task import FoldTask
from foldproof.training.training_state import TrainingState


class Stop(Exception):
    """Thrown at a None of `train`: write a checkpoint and end."""


def train(task: FoldTask, start: State | None = None) -> Generator[Body | None]:
    """Yield what happens, from FoldStarted to FoldFinished, and None wherever the fold may be stopped, as after a step.

    The files that a body speaks of are complete when it comes. From a `start`, of this fold or of one that began in the
    same way, the bodies up to it are those that it holds. Raises FoldproofError for what the user can fix; any other
    exception is a failure of this fold alone.
    A task that is profiled says where its time went, too.
    """
    watch: Watch = Running(task.model.device) if task.profiled else STILL
    return watch.whole(_trained(task, start, watch))


def _trained(task: FoldTask, start: State | None, watch: Watch) -> Generator[Body | None]:
    with watch.part("start-up"):
        fold = prepare(task)
        course = TrainingState(fold, watch)
    if start is None:
        yield course.say(started(fold))
    else:
        store_initial(fold)
        course.restore(start)
        yield from start.bodies
    with watch.part("features" if task.train.freeze_backbone else "batches"):
        _ = fold.batches  # made here, so that it is no step's time
    with Saver(task.folder, every=task.checkpoint_seconds) as saver:
        try:
            scored = yield from epochs(course, saver)
            if scored is None:
                scored = yield from watch.over("validation", evaluate(fold, fold.batches))
        except Stop:
            yield from watch.over("checkpoints", saver.last(course.state()))
            return
        yield from watch.over("checkpoints", saver.last(course.state()))
    if course.epoch <= task.train.epochs:
        return
    check_scored(fold, scored)
    with watch.part("checkpoints"):
        kept = saved(fold)
    yield kept
    yield finished(fold, scored)
    prune(task.folder, keep=KEPT)


def epochs(course: TrainingState, saver: Saver) -> Generator[Body | None, None, "Scores | None"]:
    """Train what is left of every epoch, with a state whenever one is due. The scores of the last, if it was here.

    The last epoch begins with a state, so that it can be trained again from there and the final weights be proved.
    """
    fold, settings = course.fold, course.fold.task.train
    scored: Scores | None = None
    for epoch in range(course.epoch, (fold.task.stop_after or settings.epochs) + 1):
        if epoch == settings.epochs and course.steps and not course.losses:
            yield from course.watch.over("checkpoints", saver.beside(course.state()))
        lr = settings.lr * course.schedule(epoch - 1, settings.epochs)
        for group in course.optimizer.param_groups:
            group["lr"] = lr
        for _ in steps(course):
            if saver.due:
                with course.watch.part("checkpoints"):
                    saver.begin(course.state())
            yield from saver.news()
            yield from course.news()
            yield None
        losses = course.epoch_losses()
        check_finite(losses, epoch)
        append_losses(fold.task.folder, losses, first_step=len(course.earlier))
        scored = yield from course.watch.over("validation", evaluate(fold, fold.batches))
        yield course.say(
            EpochFinished(
                epoch=epoch,
                steps=course.steps,
                lr=lr,
                train_loss=mean_loss(losses, len(fold.task.train_positions), settings.batch_size),
                train_accuracy=int(course.correct) / len(fold.task.train_positions),
                val_loss=scored.loss,
                val_accuracy=scored.accuracy,
                weights_sha256=weights_sha256(fold.classifier.state_dict()),
            )
        )
        course.earlier = np.concatenate([course.earlier, losses])
        course.begin_epoch(epoch + 1)
    return scored


def steps(course: TrainingState) -> Iterator[None]:
    """Train on every image once, in keyed order; the steps that are done already are left out."""
    fold = course.fold
    positions = fold.task.train_positions
    positions = positions[order(fold.dataset.keys[positions], fold.key("order", course.epoch))]
    augmentation = fold.key("augment", course.epoch)
    fold.net.train()
    batches = [*chunks(positions, fold.task.train.batch_size, least=LEAST_TO_TRAIN)][len(course.losses) :]
    fold.batches.expect(batches)
    for batch in batches:
        with course.watch.part("batches"):
            inputs = fold.batches.at(batch, augmented_by=augmentation)
            labels = fold.labels[sent(batch, fold.device)]
        with course.watch.part("step"):
            loss, correct = course.step(inputs, labels, fold.key("step", course.steps))
        course.losses.append(loss)
        course.correct += correct
        yield None


def check_finite(losses: NDArray[np.float32], epoch: int) -> None:
    """Raises TrainingError where a loss of an epoch is no longer a number: no later step can repair the weights."""
    finite = np.isfinite(losses)
    if not finite.all():
        first = int(np.argmin(finite))
        raise TrainingError(
            f"the loss is {losses[first]} in step {first + 1} of epoch {epoch}",
            code=DIVERGED,
            next_step="try a smaller train.lr",
        )


def check_scored(fold: FoldInputs, scored: "Scores") -> None:
    """Raises TrainingError where the last validation loss is not a number: such a model says nothing of any image."""
    if len(fold.task.validation_positions) and not math.isfinite(scored.loss):
        raise TrainingError(
            f"the validation loss is {scored.loss} after the last epoch, though no training loss was",
            next_step="try a smaller train.lr, or look for values in the model that overflow",
        )


@dataclass(frozen=True)
class Scores:
    """A fold's validation part scored: loss in nats, accuracy a fraction, probabilities [validation image, class]."""

    loss: float
    accuracy: float
    probabilities: NDArray[np.float32]

    @staticmethod
    def none(classes: int) -> "Scores":
        """Of no images at all."""
        return Scores(float("nan"), float("nan"), np.zeros((0, classes), dtype=np.float32))


def evaluate(fold: FoldInputs, batches: Batches) -> Generator[None, None, Scores]:
    """Score the validation part, fed by `batches`, with the weights as they are. The loss is unweighted."""
    positions = fold.task.validation_positions
    if len(positions) == 0:
        return Scores.none(len(fold.dataset.classes))
    fold.net.eval()
    labels = fold.labels[torch.from_numpy(positions).to(fold.device)]
    parts = []
    together = [*chunks(positions, fold.task.train.validation_batch_size)]
    batches.expect(together)
    for part in together:
        with torch.inference_mode():
            parts.append(fold.forward(batches.at(part)))
        yield None
    with torch.inference_mode():
        logits = torch.cat(parts)  # [validation image, class]
        losses = cross_entropy(logits, labels, reduction="none").double()
        correct = int((logits.argmax(dim=1) == labels).sum())
        probabilities = torch.softmax(logits, dim=1).cpu().numpy()
    return Scores(float(losses.mean()), correct / len(positions), probabilities)


def mean_loss(losses: NDArray[np.float32], images: int, batch_size: int) -> float:
    """Mean over images of the losses of the steps, each of which is a mean over its batch.

    Summed exactly: numpy's own sums of products are other bits on other processors.
    """
    return math.fsum(losses.astype(np.float64) * batch_sizes(images, batch_size)) / images


def store_initial(fold: FoldInputs) -> Mapping[str, torch.Tensor]:
    """Store the initial weights that were drawn at random; all that the model has now are returned."""
    state: Mapping[str, torch.Tensor] = fold.classifier.state_dict()
    drawn = {
        name: tensor for name, tensor in state.items() if not fold.task.train.pretrained or name.startswith("head.")
    }
    save_tensors(fold.task.folder / "initial.safetensors", drawn, "{}")
    return state


def started(fold: FoldInputs) -> FoldStarted:
    """Store the initial weights, and say what begins."""
    state = store_initial(fold)
    return FoldStarted(
        train_images=len(fold.task.train_positions),
        validation_images=len(fold.task.validation_positions),
        parameters=sum(parameter.numel() for parameter in fold.classifier.parameters()),
        trained_parameters=sum(parameter.numel() for parameter in fold.net.parameters()),
        weights_sha256=weights_sha256(state),
    )


def saved(fold: FoldInputs) -> CheckpointSaved:
    """Write model.safetensors."""
    task, form, spec = fold.task, fold.task.form, fold.classifier.input
    checkpoint = Checkpoint(
        weights=fold.classifier.state_dict(),
        backbone=task.train.backbone,
        classes=fold.dataset.classes,
        preprocessing=Preprocessing(
            image_size=form.size, resize=form.resize, mean=spec.mean, std=spec.std, within=form.within
        ),
        identity=task.identity,
        run=task.run,
        repeat=task.repeat,
        fold=task.fold,
        epoch=task.train.epochs,
    )
    return CheckpointSaved(epoch=task.train.epochs, file=checkpoint.save(task.folder / "model.safetensors").name)


def finished(fold: FoldInputs, scored: Scores) -> FoldFinished:
    """Write the out-of-fold predictions and sum up the fold."""
    task, dataset = fold.task, fold.dataset
    samples = tuple(dataset.samples[position] for position in task.validation_positions)
    labels = dataset.labels[task.validation_positions]
    predictions_hash = predictions.write(
        task.folder, samples, scored.probabilities, repeat=task.repeat, fold=task.fold, seed=task.train.seed
    )
    recall = recall_by_class(scored.probabilities, labels)
    return FoldFinished(
        epochs=task.train.epochs,
        scores={
            name: registry.load("metrics", name)(scored.probabilities, labels) for name in registry.names("metrics")
        },
        per_class={name: float(recall[number]) for number, name in enumerate(dataset.classes)},
        weights_sha256=weights_sha256(fold.classifier.state_dict()),
        predictions_sha256=predictions_hash,
    )
