"""Compute the features of images by a frozen trunk: for feature tasks, and for a fold."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.config.schema import Precision
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.on_the_fly import OnTheFly
from foldproof.data.pixels.originals import Originals
from foldproof.data.pixels.source import PixelSource, expect, opened
from foldproof.errors import ModelError
from foldproof.models.backbone import Classifier
from foldproof.training import determinism
from foldproof.training.build import build_classifier
from foldproof.training.chunks import CHUNK, chunks
from foldproof.training.frozen.features import frozen_features, trunk_digest
from foldproof.training.frozen.rows import FeatureRows, Part, kept_or_computed
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

    @staticmethod
    def of(request: ModelRequest, before: "Extractor | None") -> "Extractor":
        """The one of before, where it is built for the same request."""
        return before if before is not None and before.request == request else Extractor(request)

    def rows(self, task: FeatureTask) -> FeatureSpan:
        """Raises ModelError where the trunk that was built is not the one that is meant."""
        if task.trunk not in ("", self._trunk):
            raise ModelError(
                f"'{self.request.backbone}' has other weights each time it is built, though they are pretrained",
                next_step="set train.pretrained: false",
            )
        images, positions = _images(task)
        parts = _through(self._classifier, images, positions, self._device, self.request.precision)
        rows = [found for _, found in parts]
        return FeatureSpan(positions=task.positions, rows=np.concatenate(rows))


def features_of(
    task: FoldTask, dataset: Dataset, classifier: Classifier, images: PixelSource, device: torch.device
) -> torch.Tensor:
    """[image in manifest order, feature] float32 on the CPU: mapped from where they are kept, else computed and kept.

    What cannot be kept has the same bits.
    """
    precision = task.train.precision
    if task.features is None:
        return frozen_features(classifier, images, device=device, precision=precision)
    wanted = FeatureRows.of(task.features, dataset, task.form, trunk=trunk_digest(classifier, task.model.backbone))
    rows = kept_or_computed(wanted, lambda positions: _through(classifier, images, positions, device, precision))
    return torch.from_numpy(rows)


def _through(
    classifier: Classifier,
    images: PixelSource,
    positions: NDArray[np.int64],
    device: torch.device,
    precision: Precision,
) -> Iterator[Part]:
    parts = [*chunks(positions, CHUNK)]
    expect(images, parts)
    for part in parts:
        yield part, frozen_features(classifier, np.asarray(images[part]), device=device, precision=precision).numpy()


def _images(task: FeatureTask) -> tuple[PixelSource, NDArray[np.int64]]:
    """Where its images are, and their positions there."""
    if isinstance(task.images, Originals):
        return OnTheFly(replace(task.images, kept=None), Dataset(task.samples)), np.arange(len(task.samples))
    return opened(task.images, Dataset(task.samples)), task.positions
