"""Decode originals on demand, and ahead of demand in threads.

Behaves as the mapped file of all decoded images does where it is indexed: same shape, same kind of number, same bits.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.originals import Originals, decoded_original
from foldproof.data.values import Scaled
from foldproof.errors import DataError
from foldproof.provenance.machine import available_cores

AHEAD_BYTES = 1 << 25  # of pixels that may wait; one part may, whatever it takes
PIECE = 8  # images a thread decodes at once


@dataclass(frozen=True)
class _Coming:
    """Images that are being decoded.  # [image, height, width, channel]"""

    positions: NDArray[np.int64]
    pixels: Scaled
    work: tuple[Future[None], ...]

    def get(self) -> Scaled:
        for piece in self.work:
            piece.result()
        return self.pixels


class OnTheFly:
    """Index it with a slice or with positions in manifest order: [image, height, width, channel] uint8 or uint16.

    Raises DataError, with the file's name, for an original that is gone, unreadable or not what the dataset says.
    """

    def __init__(self, originals: Originals, dataset: Dataset) -> None:
        self.shape = (len(dataset), *originals.form.shape)
        self.dtype = np.dtype(originals.form.number)
        self._originals = originals
        self._samples = dataset.samples
        self._kept: Scaled = (
            np.load(originals.kept, mmap_mode="r") if originals.kept else np.empty((0, *self.shape[1:]), self.dtype)
        )
        self._pool = ThreadPoolExecutor(available_cores(), thread_name_prefix="decode")
        self._expected: Iterator[NDArray[np.int64]] = iter(())
        self._coming: deque[_Coming] = deque()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, wanted: slice | NDArray[np.int64]) -> Scaled:
        positions = np.arange(len(self))[wanted]
        if not (self._coming and np.array_equal(self._coming[0].positions, positions)):
            return self._begin(positions).get()
        coming = self._coming.popleft()
        self._look_ahead()
        return coming.get()

    def expect(self, parts: Iterable[NDArray[np.int64]]) -> None:
        """These positions will be asked for, part by part: decode a few parts ahead. Those expected before are not."""
        for coming in self._coming:
            for piece in coming.work:
                piece.cancel()
        self._coming.clear()
        self._expected = iter(parts)
        self._look_ahead()

    def _look_ahead(self) -> None:
        while not self._coming or sum(coming.pixels.nbytes for coming in self._coming) < AHEAD_BYTES:
            positions = next(self._expected, None)
            if positions is None:
                return
            self._coming.append(self._begin(positions))

    def _begin(self, positions: NDArray[np.int64]) -> _Coming:
        pixels: Scaled = np.empty((len(positions), *self.shape[1:]), dtype=self.dtype)
        pieces = [slice(start, start + PIECE) for start in range(0, len(positions), PIECE)]
        work = [self._pool.submit(self._fill, pixels[piece], positions[piece]) for piece in pieces]
        return _Coming(positions, pixels, tuple(work))

    def _fill(self, pixels: NDArray[Any], positions: NDArray[np.int64]) -> None:
        for place, position in enumerate(positions.tolist()):
            if position < len(self._kept):
                pixels[place] = self._kept[position]
                continue
            sample = self._samples[position]
            try:
                pixels[place] = decoded_original(sample, self._originals)
            except DataError as error:
                raise DataError(
                    f"{sample.path}: {error.what}", next_step="put it back as it was, then `foldproof run --resume`"
                ) from None
