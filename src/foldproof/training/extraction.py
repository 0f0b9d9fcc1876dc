"""A frozen trunk, built once, for many parts of the images: feature tasks in, their rows out; and a fold's features."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.errors import ModelError, StorageError
from foldproof.models.backbone import Classifier
from foldproof.training import determinism
from foldproof.training.augment import Images
from foldproof.training.build import build_classifier
from foldproof.training.chunks import chunks
from foldproof.training.feature_rows import Part, Wanted, keep
from foldproof.training.features import CHUNK, frozen_features, trunk_digest
from foldproof.training.task import FeatureSpan, FeatureTask, FoldTask, ModelRequest


class Extractor:
    """Settles this process and builds the trunk. Raises what building a model raises."""

    def __init__(self, request: ModelRequest) -> None:
        self.request = request
        self._device = determinism.choose_device(request.device)
        determinism.settle(self._device, threads=request.threads)
        if request.portable:
            determinism.check_portable()
        self._classifier = build_classifier(request, self._device)
        self._trunk = trunk_digest(self._classifier, request.backbone)

    def rows(self, task: FeatureTask) -> FeatureSpan:
        """Raises ModelError where the trunk that was built is not the one that is meant."""
        if task.trunk != self._trunk:
            raise ModelError(
                f"'{self.request.backbone}' has other weights each time it is built, though they are pretrained",
                next_step="set train.pretrained: false",
            )
        pixels = np.load(task.images, mmap_mode="r")
        parts = [rows for _, rows in _through(self._classifier, pixels, task.positions, self._device)]
        return FeatureSpan(positions=task.positions, rows=np.concatenate(parts))


def features_of(
    task: FoldTask, dataset: Dataset, classifier: Classifier, images: Images, device: torch.device
) -> torch.Tensor:
    """[image in manifest order, feature] float32 on the CPU: mapped from where they are kept, else computed and kept.

    What cannot be kept has the same bits.
    """
    if task.features is not None:
        form = Form(size=task.image_size, resize=task.pixels.resize, channels=task.pixels.channels, within=task.within)
        trunk = trunk_digest(classifier, task.model.backbone)
        try:
            path = keep(
                Wanted.of(task.features, dataset, form, trunk=trunk),
                lambda positions: _through(classifier, images, positions, device),
            )
            return torch.from_numpy(np.load(path, mmap_mode="c"))  # nobody writes, and torch warns of what is read-only
        except (StorageError, OSError, ValueError):
            pass
    return frozen_features(classifier, images, device=device)


def _through(
    classifier: Classifier, images: Images, positions: NDArray[np.int64], device: torch.device
) -> Iterator[Part]:
    for part in chunks(positions, CHUNK):
        yield part, frozen_features(classifier, np.asarray(images[part]), device=device).numpy()
