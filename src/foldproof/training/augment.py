"""Augmentations on whole batches: images and a key for each in, images of the same shape out.

An augmentation is a callable `(images [batch, height, width, channel], bits [batch] uint64) -> images`; images are
uint8 or, deeper ones, uint16. It draws all its randomness from `bits`, 64 for each image, so that an image is changed
the same way whatever batch it is in.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof.training.keyed import below, sample_bits

Images: TypeAlias = NDArray[Any]  # uint8 or uint16
Augmentation: TypeAlias = Callable[[Images, NDArray[np.uint64]], Images]


def none(images: Images, bits: NDArray[np.uint64]) -> Images:  # noqa: ARG001
    """Every image as it is."""
    return images


def light(images: Images, bits: NDArray[np.uint64]) -> Images:
    """Half of the images mirrored left to right; each shifted by up to an eighth of its edge, black coming in."""
    height, width = images.shape[1:3]
    pad_y, pad_x = max(1, height // 8), max(1, width // 8)
    down = below(sample_bits(bits, 1), 2 * pad_y + 1)
    right = below(sample_bits(bits, 2), 2 * pad_x + 1)
    mirrored = below(sample_bits(bits, 3), 2) == 1
    padded = np.pad(images, ((0, 0), (pad_y, pad_y), (pad_x, pad_x), (0, 0)))
    rows = down[:, None] + np.arange(height)  # [batch, height]
    columns = np.where(mirrored[:, None], np.arange(width)[::-1], np.arange(width)) + right[:, None]  # [batch, width]
    batch = np.arange(len(images))
    shifted: Images = padded[batch[:, None, None], rows[:, :, None], columns[:, None, :]]
    return shifted
