"""Load batches of images, given as positions in the manifest, as tensors on the device.

`PixelBatches` feeds a whole network from decoded images; `FeatureBatches` a head from a frozen backbone's features, and
`AugmentedFeatures` from those of images that are changed in every epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.config.schema import Precision
from foldproof.data.pixels.source import PixelSource, expect
from foldproof.models.backbone import Classifier, InputSpec
from foldproof.training.augment import Augmentation
from foldproof.training.frozen.features import frozen_features
from foldproof.training.gpu.sending import sent
from foldproof.training.keyed import sample_bits
from foldproof.training.preprocess import normalised


class Batches(Protocol):
    """Inputs of images by their positions. `augmented_by` keys an epoch's augmentation; None leaves images alone.

    `expect` says which will be asked for next, part by part: what has to be decoded is decoded ahead.
    """

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor: ...
    def expect(self, parts: Sequence[NDArray[np.int64]]) -> None: ...


@dataclass(frozen=True)
class PixelBatches:
    """Normalised images.  # [batch, channel, height, width] float32"""

    pixels: PixelSource  # [image, height, width, channel]
    keys: NDArray[np.uint64]  # [image]
    spec: InputSpec
    augment: Augmentation
    device: torch.device

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:
        images = np.asarray(self.pixels[positions])
        if augmented_by is not None:
            images = self.augment(images, sample_bits(self.keys[positions], augmented_by))
        return normalised(sent(np.ascontiguousarray(images), self.device), self.spec, self.device)

    def expect(self, parts: Sequence[NDArray[np.int64]]) -> None:
        expect(self.pixels, parts)


@dataclass(frozen=True)
class FeatureBatches:
    """Features of a frozen backbone.  # [batch, feature] float32"""

    features: torch.Tensor  # [image, feature] float32, on the device

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:  # noqa: ARG002
        return self.features[sent(positions, self.features.device)]

    def expect(self, parts: Sequence[NDArray[np.int64]]) -> None:
        """They are all here."""


@dataclass(frozen=True)
class AugmentedFeatures:
    """Features of a frozen backbone: of images as they are from `plain`, of augmented ones computed when asked for.

    Those go through the trunk by the canonical pass, so that a row depends on its changed image alone.
    # [batch, feature] float32
    """

    plain: FeatureBatches
    pixels: PixelSource  # [image, height, width, channel]
    keys: NDArray[np.uint64]  # [image]
    classifier: Classifier
    augment: Augmentation
    device: torch.device
    precision: Precision

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:
        if augmented_by is None:
            return self.plain.at(positions)
        images = self.augment(np.asarray(self.pixels[positions]), sample_bits(self.keys[positions], augmented_by))
        return frozen_features(self.classifier, images, device=self.device, precision=self.precision).to(self.device)

    def expect(self, parts: Sequence[NDArray[np.int64]]) -> None:
        expect(self.pixels, parts)
