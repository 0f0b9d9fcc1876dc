"""Read rows ahead from a file of pixels that may not fit in memory.

By default, the system reads megabytes around every row of a mapped file that is not in memory: in random order, and
with less memory than the file has bytes, nearly all of it is dropped again before it is used.
"""

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from foldproof.data.values import Scaled

AHEAD_BYTES = 1 << 25  # of rows that the system is asked for before they are


class Mapped:
    """The mapped `.npy` `path`; index it as an array.  # [image, height, width, channel] uint8 or uint16"""

    def __init__(self, path: Path) -> None:
        self._pixels: Scaled = np.load(path, mmap_mode="r")
        self._map = cast("mmap.mmap", self._pixels.base)
        self.shape: tuple[int, ...] = self._pixels.shape
        self.dtype = self._pixels.dtype
        self._row_bytes = self._pixels[:1].nbytes
        self._start = path.stat().st_size - self._pixels.nbytes  # of the first row
        self._expected: Iterator[NDArray[np.int64]] = iter(())
        self._advise(mmap.MADV_RANDOM)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, wanted: slice | NDArray[np.int64]) -> Scaled:
        found: Scaled = self._pixels[wanted]
        self._look_ahead(found.nbytes)
        return found

    def expect(self, parts: Iterable[NDArray[np.int64]]) -> None:
        """These positions will be asked for, part by part."""
        self._expected = iter(parts)
        self._look_ahead(AHEAD_BYTES)

    def _look_ahead(self, wanted_bytes: int) -> None:
        """Have the system read what is expected next, `wanted_bytes` or a little more; it does so on its own."""
        while wanted_bytes > 0 and (positions := next(self._expected, None)) is not None:
            for position in positions.tolist():
                first = self._start + position * self._row_bytes
                begin = first // mmap.PAGESIZE * mmap.PAGESIZE
                self._advise(mmap.MADV_WILLNEED, begin, first + self._row_bytes - begin)
            wanted_bytes -= len(positions) * self._row_bytes

    def _advise(self, advice: int, *of: int) -> None:
        self._map.madvise(advice, *of)
