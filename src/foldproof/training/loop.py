"""The training loop, on one page: a `FoldTask` in, what happens out.

Every random choice is a function of a key (`keyed.py`); nothing is called back and nothing outside the fold's folder is
written. Start with `train`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from foldproof import registry
from foldproof.data.dataset import Dataset
from foldproof.events.types import Body, CheckpointSaved, EpochFinished, FoldFinished, FoldStarted
from foldproof.metrics import recall_by_class
from foldproof.models.backbone import Classifier
from foldproof.training import determinism, predictions
from foldproof.training.batches import Batches, FeatureBatches, PixelBatches
from foldproof.training.build import build_classifier
from foldproof.training.checkpoint import Checkpoint, Preprocessing, save_tensors, weights_sha256
from foldproof.training.chunks import LEAST_TO_TRAIN, batch_sizes, chunks
from foldproof.training.features import frozen_features
from foldproof.training.keyed import key, order
from foldproof.training.steps import append_losses
from foldproof.training.task import FoldTask


@dataclass(frozen=True)
class Fold:
    """Everything of one fold that stays the same while it is trained. `net` is what learns; `batches` feeds it."""

    task: FoldTask
    dataset: Dataset
    device: torch.device
    classifier: Classifier

    @property
    def net(self) -> torch.nn.Module:
        """The part that learns."""
        return self.classifier.head if self.task.train.freeze_backbone else self.classifier

    @cached_property
    def batches(self) -> Batches:
        """What feeds `net`; a frozen backbone's features are computed when they are first asked for."""
        pixels = np.load(self.task.images, mmap_mode="r")
        if self.task.train.freeze_backbone:
            return FeatureBatches(frozen_features(self.classifier, pixels, device=self.device).to(self.device))
        augment = registry.load("augmentations", self.task.train.augment)
        return PixelBatches(pixels, self.dataset.keys, self.classifier.input, augment, self.device)

    @cached_property
    def labels(self) -> torch.Tensor:
        """Class numbers, on the device.  # [image] int64"""
        return torch.from_numpy(self.dataset.labels).to(self.device)

    @cached_property
    def class_weights(self) -> torch.Tensor:
        """Weights of the classes in the training loss, on the device.  # [class] float32"""
        weigh = registry.load("class_weights", self.task.train.class_weights)
        weights = weigh(self.dataset.labels[self.task.train_positions], len(self.dataset.classes))
        return torch.from_numpy(weights).to(self.device)

    def key(self, purpose: str, *numbers: int) -> int:
        """64 bits for a purpose within this fold."""
        return key(purpose, self.task.train.seed, self.task.repeat, self.task.fold, *numbers)


def train(task: FoldTask) -> Iterator[Body]:
    """Yield what happens, from FoldStarted to FoldFinished; the files a body speaks of are complete when it comes.

    Raises FoldproofError for what the user can mend; any other exception is a failure of this fold alone.
    """
    fold = prepare(task)
    yield started(fold)

    settings = task.train
    optimizer = registry.load("optimizers", settings.optimizer)(fold.net.parameters(), settings)
    schedule = registry.load("schedules", settings.schedule)
    steps = 0
    scored = Scores.none(len(fold.dataset.classes))
    for epoch in range(1, settings.epochs + 1):
        lr = settings.lr * schedule(epoch - 1, settings.epochs)
        for group in optimizer.param_groups:
            group["lr"] = lr
        losses, correct = one_epoch(fold, optimizer, epoch=epoch, first_step=steps)
        steps += len(losses)
        append_losses(task.folder, losses, first_step=steps - len(losses))
        scored = evaluate(fold)
        yield EpochFinished(
            epoch=epoch,
            steps=steps,
            lr=lr,
            train_loss=mean_loss(losses, len(task.train_positions), settings.batch_size),
            train_accuracy=correct / len(task.train_positions),
            val_loss=scored.loss,
            val_accuracy=scored.accuracy,
            weights_sha256=weights_sha256(fold.classifier.state_dict()),
        )
    yield saved(fold)
    yield finished(fold, scored)


def prepare(task: FoldTask) -> Fold:
    """Settle this process and build the model from its key."""
    device = determinism.choose_device(task.model.device)
    determinism.settle(device, threads=task.model.threads)
    dataset = Dataset.from_json(json.loads(task.dataset.read_bytes()))
    determinism.seed(device, key("weights", task.train.seed, task.repeat, task.fold))
    return Fold(task, dataset, device, build_classifier(task.model, device))


def one_epoch(
    fold: Fold, optimizer: torch.optim.Optimizer, *, epoch: int, first_step: int
) -> tuple[NDArray[np.float32], int]:
    """Train on every image once, in keyed order. The loss of every step, and how many images were recognised."""
    positions = fold.task.train_positions
    positions = positions[order(fold.dataset.keys[positions], fold.key("order", epoch))]
    augmentation = fold.key("augment", epoch)
    losses, correct = [], torch.zeros((), dtype=torch.int64, device=fold.device)
    fold.net.train()
    for step, batch in enumerate(chunks(positions, fold.task.train.batch_size, least=LEAST_TO_TRAIN), start=first_step):
        inputs = fold.batches.at(batch, augmented_by=augmentation)
        labels = fold.labels[torch.from_numpy(batch).to(fold.device)]
        determinism.seed(fold.device, fold.key("step", step))
        logits = fold.net(inputs)  # [batch, class]
        loss = cross_entropy(logits, labels, weight=fold.class_weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        correct += (logits.argmax(dim=1) == labels).sum()
    return torch.stack(losses).cpu().numpy().astype(np.float32), int(correct)


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


def evaluate(fold: Fold) -> Scores:
    """Score the validation part with the weights as they are. The loss is unweighted."""
    positions = fold.task.validation_positions
    if len(positions) == 0:
        return Scores.none(len(fold.dataset.classes))
    fold.net.eval()
    with torch.inference_mode():
        logits = torch.cat(
            [fold.net(fold.batches.at(part)) for part in chunks(positions, fold.task.train.validation_batch_size)]
        )
        labels = fold.labels[torch.from_numpy(positions).to(fold.device)]
        losses = cross_entropy(logits, labels, reduction="none").double()
        correct = int((logits.argmax(dim=1) == labels).sum())
        probabilities = torch.softmax(logits, dim=1).cpu().numpy()
    return Scores(float(losses.mean()), correct / len(positions), probabilities)


def mean_loss(losses: NDArray[np.float32], images: int, batch_size: int) -> float:
    """Mean over images of the losses of the steps, each of which is a mean over its batch; in float64."""
    return float(np.dot(losses.astype(np.float64), batch_sizes(images, batch_size)) / images)


def started(fold: Fold) -> FoldStarted:
    """Store the initial weights that were drawn at random, and say what begins."""
    state = fold.classifier.state_dict()
    drawn = {
        name: tensor for name, tensor in state.items() if not fold.task.train.pretrained or name.startswith("head.")
    }
    save_tensors(fold.task.folder / "initial.safetensors", drawn, "{}")
    return FoldStarted(
        train_images=len(fold.task.train_positions),
        validation_images=len(fold.task.validation_positions),
        parameters=sum(parameter.numel() for parameter in fold.classifier.parameters()),
        trained_parameters=sum(parameter.numel() for parameter in fold.net.parameters()),
        weights_sha256=weights_sha256(state),
    )


def saved(fold: Fold) -> CheckpointSaved:
    """Write model.safetensors."""
    task, spec = fold.task, fold.classifier.input
    checkpoint = Checkpoint(
        weights=fold.classifier.state_dict(),
        backbone=task.train.backbone,
        classes=fold.dataset.classes,
        preprocessing=Preprocessing(
            image_size=task.image_size, resize=task.pixels.resize, mean=spec.mean, std=spec.std
        ),
        identity=task.identity,
        run=task.run,
        repeat=task.repeat,
        fold=task.fold,
        epoch=task.train.epochs,
    )
    return CheckpointSaved(epoch=task.train.epochs, file=checkpoint.save(task.folder / "model.safetensors").name)


def finished(fold: Fold, scored: Scores) -> FoldFinished:
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
