"""Load what stays constant while a fold is trained: its model, images and labels on the device."""

from dataclasses import dataclass
from functools import cached_property

import torch

from foldproof import registry
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.source import opened
from foldproof.models.backbone import Classifier
from foldproof.storage import read_json_inside
from foldproof.training import determinism
from foldproof.training.augment import Drawn
from foldproof.training.batches import AugmentedFeatures, Batches, FeatureBatches, PixelBatches
from foldproof.training.build import build_classifier
from foldproof.training.forward import Forward, compiled, forward_of
from foldproof.training.frozen.extraction import features_of
from foldproof.training.gpu.resident import ResidentPixels, resident
from foldproof.training.keyed import key
from foldproof.training.task import FoldTask

_MOST_DATASET_BYTES = 4 * 2**30


@dataclass(frozen=True)
class FoldInputs:
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
    def forward(self) -> Forward:
        """`net`, computed in the precision that is asked for; a head alone, which costs next to nothing, in float32."""
        train = self.task.train
        if train.freeze_backbone:
            return self.net
        return forward_of(compiled(self.net) if train.compile else self.net, train.precision, self.device)

    @cached_property
    def batches(self) -> Batches:
        """What feeds `net`; a frozen backbone's features are looked up, or computed, when they are first asked for."""
        task, dataset, device = self.task, self.dataset, self.device
        pixels = opened(task.images, dataset)
        augment = registry.load("augmentations", task.train.augment)
        if task.train.freeze_backbone:
            plain = FeatureBatches(features_of(task, dataset, self.classifier, pixels, device).to(device))
            if task.train.augment == "none":
                return plain
            precision = task.train.precision
            return AugmentedFeatures(plain, pixels, dataset.keys, self.classifier, augment, device, precision)
        on_device = resident(task.images, device) if isinstance(augment, Drawn) else None
        if on_device is not None:
            return ResidentPixels(on_device, dataset.keys, self.classifier.input, augment)
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


def prepare(task: FoldTask) -> FoldInputs:
    """Settle this process and build the model from its key."""
    device = determinism.choose_device(task.model.device)
    determinism.settle(device, threads=task.model.threads)
    if task.model.portable:
        determinism.check_portable()
    dataset = Dataset.from_json(
        read_json_inside(task.dataset.parent, task.dataset.name, most_bytes=_MOST_DATASET_BYTES)
    )
    determinism.seed(device, key("weights", task.train.seed, task.repeat, task.fold))
    return FoldInputs(task, dataset, device, build_classifier(task.model, device))
