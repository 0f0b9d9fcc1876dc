"""Augment batches of images, with a random key for each image.

An augmentation is a callable `(images [batch, height, width, channel], bits [batch] uint64) -> images`; images are
uint8 or, deeper ones, uint16. It draws all its randomness from `bits`, 64 for each image, so that an image is changed
the same way whatever batch it is in. One that is a `Drawn` is carried out on the GPU where the images lie there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from foldproof.training.keyed import draw_below, sample_bits

Images: TypeAlias = NDArray[Any]  # uint8 or uint16
Augmentation: TypeAlias = Callable[[Images, NDArray[np.uint64]], Images]


@dataclass(frozen=True)
class Drawn:
    """An augmentation in two halves: what to do is drawn with numpy alone, and done by numpy or, on a GPU, by torch.

    `draw` takes bits [image], height and width to integers [number, image] int64. The other two take images and these
    integers to the same images, bit for bit; a tensor of uint16 comes as int16.
    """

    draw: Callable[[NDArray[np.uint64], int, int], NDArray[np.int64]]
    on_arrays: Callable[[Images, NDArray[np.int64]], Images]
    on_tensors: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

    def __call__(self, images: Images, bits: NDArray[np.uint64]) -> Images:
        return self.on_arrays(images, self.draw(bits, *images.shape[1:3]))


def _draw_nothing(bits: NDArray[np.uint64], height: int, width: int) -> NDArray[np.int64]:  # noqa: ARG001
    return np.zeros((0, len(bits)), dtype=np.int64)


# Every image as it is.
none = Drawn(_draw_nothing, lambda images, drawn: images, lambda images, drawn: images)  # noqa: ARG005


def _margin(edge: int) -> int:
    return max(1, edge // 8)


def _draw_light(bits: NDArray[np.uint64], height: int, width: int) -> NDArray[np.int64]:
    """First row and first column of what is cut out of the image with its margins, and whether it is mirrored."""
    bounds = (2 * _margin(height) + 1, 2 * _margin(width) + 1, 2)
    return np.stack([draw_below(sample_bits(bits, number), bound) for number, bound in enumerate(bounds, start=1)])


def _light_on_arrays(images: Images, drawn: NDArray[np.int64]) -> Images:
    """Image by image in slices: several times as fast as one index over all pixels."""
    height, width = images.shape[1:3]
    shifted = np.zeros_like(images)
    for image, target, top, left, mirrored in zip(images, shifted, *drawn.tolist(), strict=True):
        up, over = top - _margin(height), left - _margin(width)
        seen = image[max(up, 0) : height + min(up, 0), max(over, 0) : width + min(over, 0)]
        upright = target[:, ::-1] if mirrored else target
        upright[max(-up, 0) : height - max(up, 0), max(-over, 0) : width - max(over, 0)] = seen
    return shifted


def _light_on_tensors(images: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[1:3]
    top, left, mirrored = drawn[:, :, None]  # [image, 1] each
    across = torch.arange(width, device=images.device)
    rows = top + torch.arange(height, device=images.device)  # [image, height]
    columns = left + torch.where(mirrored == 1, across.flip(0), across)  # [image, width]
    down, right = _margin(height), _margin(width)
    padded = pad(images, (0, 0, right, right, down, down))
    number = torch.arange(len(images), device=images.device)
    return padded[number[:, None, None], rows[:, :, None], columns[:, None, :]]


# Half of the images mirrored left to right; each shifted by up to an eighth of its edge, black coming in.
light = Drawn(_draw_light, _light_on_arrays, _light_on_tensors)
