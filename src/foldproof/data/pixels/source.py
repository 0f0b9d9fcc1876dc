"""Define where training takes its pixels from: a mapped file or originals, indexed by position."""

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.mapped import Mapped
from foldproof.data.pixels.on_the_fly import OnTheFly
from foldproof.data.pixels.originals import Originals
from foldproof.data.values import Scaled
from foldproof.provenance.machine import memory_bytes

MOST_OF_MEMORY = 1 / 3  # that a file of pixels may take for the system to keep all of it at hand


class PixelSource(Protocol):
    """Images in manifest order, as an array that may lie elsewhere.  # [image, height, width, channel]"""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, wanted: Any, /) -> Scaled: ...


def opened(images: Path | Originals, dataset: Dataset) -> PixelSource:
    """The images of `dataset`: mapped from a `.npy` of all of them, or decoded from their originals when asked for."""
    if isinstance(images, Originals):
        return OnTheFly(images, dataset)
    if hasattr(mmap, "MADV_RANDOM") and images.stat().st_size > memory_bytes() * MOST_OF_MEMORY:
        return Mapped(images)
    return cast("PixelSource", np.load(images, mmap_mode="r"))


@dataclass(frozen=True)
class Selected:
    """Some images of a source, which are read when they are asked for."""

    images: PixelSource
    positions: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.positions), *self.images.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.images.dtype

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, wanted: slice | NDArray[np.int64]) -> Scaled:
        return self.images[self.positions[wanted]]


def expect(images: PixelSource, parts: Iterable[NDArray[np.int64]]) -> None:
    """Say which positions will be asked for, part by part; what lies in memory is as good as here."""
    if isinstance(images, Selected):
        expect(images.images, (images.positions[part] for part in parts))
    elif isinstance(images, OnTheFly | Mapped):
        images.expect(parts)
