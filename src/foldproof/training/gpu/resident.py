"""Keep a decoded data set on the device and serve batches that never leave it.

The same batches and the same bits as `PixelBatches`. What is done to an image is drawn once an epoch, for all images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.data.pixels.originals import Originals
from foldproof.models.backbone import InputSpec
from foldproof.training.augment import Drawn, Images
from foldproof.training.gpu.sending import sent
from foldproof.training.keyed import sample_bits
from foldproof.training.preprocess import normalised

_SHARE = 0.5  # of the free memory; the rest is for the training itself
_CHUNK_BYTES = 1 << 28


@dataclass(frozen=True)
class Resident:
    """All images of a data set on a device, for any number of folds."""

    images: torch.Tensor  # [image, height, width, channel] uint8, or uint16 as int16, which any device can index
    dtype: torch.dtype  # what the numbers are

    @staticmethod
    def of(images: Images, device: torch.device) -> "Resident":
        """Copy the images to `device` and wait until they are there, so that any stream may read them."""
        dtype = torch.from_numpy(np.zeros(0, dtype=images.dtype)).dtype
        there = torch.empty(images.shape, dtype=torch.int16 if dtype == torch.uint16 else dtype, device=device)
        count = max(1, _CHUNK_BYTES // max(1, images[:1].nbytes))
        for start in range(0, len(images), count):
            part = np.array(images[start : start + count])
            there[start : start + count] = torch.from_numpy(part.view(np.int16) if dtype == torch.uint16 else part)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return Resident(there, dtype)


def fits(images_bytes: int, *, free_bytes: int) -> bool:
    """Whether images that lie on a device leave enough of its free memory for training."""
    return images_bytes <= _SHARE * free_bytes


@lru_cache(maxsize=1)
def resident(where: Path | Originals, device: torch.device) -> Resident | None:
    """The images of a file on a GPU, shared by the folds that this process trains; None where they stay on the disk.

    They do on a CPU, which reads them from the disk's cache, where they do not fit, and where not all are decoded.
    """
    if device.type != "cuda" or isinstance(where, Originals):
        return None
    images = np.load(where, mmap_mode="r")
    if not fits(images.nbytes, free_bytes=torch.cuda.mem_get_info(device)[0]):
        return None
    return Resident.of(images, device)


class ResidentPixels:
    """Normalised images from a `Resident`.  # [batch, channel, height, width] float32"""

    def __init__(self, resident: Resident, keys: NDArray[np.uint64], spec: InputSpec, augment: Drawn) -> None:
        self._resident = resident
        self._keys = keys  # [image]
        self._spec = spec
        self._augment = augment
        self._epoch: tuple[int, torch.Tensor] | None = None  # the key of an epoch, and what it draws for every image

    def at(self, positions: NDArray[np.int64], *, augmented_by: int | None = None) -> torch.Tensor:
        device = self._resident.images.device
        chosen = sent(positions, device)
        images = self._resident.images[chosen]
        if augmented_by is not None:
            images = self._augment.on_tensors(images, self._drawn(augmented_by)[:, chosen])
        return normalised(images.view(self._resident.dtype), self._spec, device)

    def expect(self, parts: Sequence[NDArray[np.int64]]) -> None:
        """They are all here."""

    def _drawn(self, augmented_by: int) -> torch.Tensor:
        if self._epoch is None or self._epoch[0] != augmented_by:
            height, width = self._resident.images.shape[1:3]
            numbers = self._augment.draw(sample_bits(self._keys, augmented_by), height, width)
            self._epoch = augmented_by, sent(numbers, self._resident.images.device)
        return self._epoch[1]
