"""What a network is fed: positions in the manifest in, tensors on the device out.

`PixelBatches` feeds a whole network from decoded images; `FeatureBatches` a head from a frozen backbone's features, and
`AugmentedFeatures` from those of images that are changed in every epoch.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.models.backbone import Classifier, InputSpec
from foldproof.training.augment import Augmentation, Images
from foldproof.training.features import frozen_features
from foldproof.training.keyed import sample_bits
from foldproof.training.preprocess import normalised


class Batches(Protocol):
    """Inputs of images by their positions. `augmented_by` keys an epoch's augmentation; None leaves images alone."""

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor: ...


@dataclass(frozen=True)
class PixelBatches:
    """Normalised images.  # [batch, channel, height, width] float32"""

    pixels: Images  # [image, height, width, channel]
    keys: NDArray[np.uint64]  # [image]
    spec: InputSpec
    augment: Augmentation
    device: torch.device

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:
        images = np.asarray(self.pixels[positions])
        if augmented_by is not None:
            images = self.augment(images, sample_bits(self.keys[positions], augmented_by))
        return normalised(torch.from_numpy(np.ascontiguousarray(images)), self.spec, self.device)


@dataclass(frozen=True)
class FeatureBatches:
    """Features of a frozen backbone.  # [batch, feature] float32"""

    features: torch.Tensor  # [image, feature] float32, on the device

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:  # noqa: ARG002
        return self.features[torch.from_numpy(positions).to(self.features.device)]


@dataclass(frozen=True)
class AugmentedFeatures:
    """Features of a frozen backbone: of images as they are from `plain`, of augmented ones computed when asked for.

    Those go through the trunk by the canonical pass, so that a row depends on its changed image alone.
    # [batch, feature] float32
    """

    plain: FeatureBatches
    pixels: Images  # [image, height, width, channel]
    keys: NDArray[np.uint64]  # [image]
    classifier: Classifier
    augment: Augmentation
    device: torch.device

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:
        if augmented_by is None:
            return self.plain.at(positions)
        images = self.augment(np.asarray(self.pixels[positions]), sample_bits(self.keys[positions], augmented_by))
        return frozen_features(self.classifier, images, device=self.device).to(self.device)
