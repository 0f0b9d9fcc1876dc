"""Compute what makes two pictures look alike: a perceptual hash and a small grey thumbnail. Pure.

Pillow's resizing is in fixed point and all sums here are of whole numbers that a float holds exactly, in whatever order
they are added up: the same bits on every machine.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

EDGE = 24  # of a thumbnail, in pixels
COARSE = 1024
CUTS = ((0, 0), (0.04, 0), (0, 0.04), (0.022, 0.022), (0.045, 0.045))  # shares taken away at the two ends of a side

_SIDE, _LOW = 32, 8  # of the picture that is transformed; of the low frequencies that are kept
_SCALE = 2**12
_PIXELS = EDGE**2


@dataclass(frozen=True, slots=True)
class Likeness:
    """What of one image the search for near-duplicates compares."""

    phash: int  # 64 bits, the lowest frequency first, in the highest bit
    thumbnail: bytes  # EDGE x EDGE grey, uint8, row by row


def likeness(pixels: NDArray[np.uint8]) -> Likeness:
    """The likeness of upright RGB `pixels`.  # [height, width, 3] uint8, any size."""
    grey = PIL.Image.fromarray(pixels).convert("L")
    small = np.asarray(grey.resize((_SIDE, _SIDE), PIL.Image.Resampling.LANCZOS))
    thumbnail = grey.resize((EDGE, EDGE), PIL.Image.Resampling.BOX)
    return Likeness(phash=perceptual_hash(small), thumbnail=thumbnail.tobytes())


def perceptual_hash(grey: NDArray[np.uint8]) -> int:
    """Which of the 8 x 8 lowest frequencies of a picture exceed their median (Zauner 2010, with the DCT in integers).

    `grey` is [32, 32] uint8. The median is the mean of the 32nd and the 33rd of the 64, compared without halving.
    """
    frequencies = (_DCT @ grey.astype(np.int64) @ _DCT.T).reshape(-1)
    ascending = np.sort(frequencies)
    middle = len(ascending) // 2
    above = 2 * frequencies > ascending[middle - 1] + ascending[middle]
    return int.from_bytes(np.packbits(above).tobytes(), "big")


def spread(thumbnails: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The variance of each thumbnail in grey levels squared, times the square of its number of pixels.  # [image]"""
    variances = np.empty(len(thumbnails))
    for some in _pieces(len(thumbnails)):
        flat = thumbnails[some].reshape(-1, _PIXELS).astype(np.int64)
        variances[some] = _PIXELS * (flat * flat).sum(axis=1) - flat.sum(axis=1) ** 2
    return variances


def coarse(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails of 8 x 8, without mean and of length COARSE, in whole numbers.  # [image, 64]

    The product of two of them is at most about COARSE squared, below 2^24, so that float32 holds it exactly.
    """
    step, rounded = EDGE // _LOW, np.empty((len(thumbnails), _LOW**2), dtype=np.float32)
    for some in _pieces(len(thumbnails)):
        blocks = thumbnails[some].astype(np.int64).reshape(-1, _LOW, step, _LOW, step)
        sums = blocks.sum(axis=(2, 4)).reshape(-1, _LOW**2)
        centred = (_LOW**2 * sums - sums.sum(axis=1, keepdims=True)).astype(np.float64)
        length = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
        rounded[some] = np.rint(COARSE * centred / np.maximum(length, 1))
    return rounded


def _pieces(count: int) -> Iterator[slice]:
    """A few images at a time: their numbers take eight times the room of their bytes, or more."""
    return (slice(start, start + 64) for start in range(0, count, 64))


@dataclass(frozen=True)
class Crops:
    """Thumbnails ready for `compare`: each with the variances, as of `spread`, of its crops."""

    thumbnails: NDArray[np.uint8]  # [image, EDGE, EDGE]
    plain: NDArray[np.float64]  # [image]
    cropped: NDArray[np.float64]  # [image, crop]

    @staticmethod
    def of(thumbnails: NDArray[np.uint8]) -> "Crops":
        cropped = np.empty((len(thumbnails), len(CUTS) ** 2))
        for some in _pieces(len(thumbnails)):
            crops = _crops(thumbnails[some].astype(np.float32), _CUT.astype(np.float32))
            crops = crops.astype(np.float64)
            squares, sums = np.einsum("nij,nij->ni", crops, crops), crops.sum(axis=2)
            cropped[some] = np.maximum(_PIXELS * squares - sums * sums, 1)  # where nothing is left but one grey
        return Crops(thumbnails, spread(thumbnails), cropped)

    def compare(self, one: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
        """How alike `one` and each of `others` are at best, if either may be a crop of the other.  # [other], -1 to 1

        The correlation of one's pixels with those of a crop of the other, over all of CUTS at each side.
        """
        picture = self.thumbnails[one].astype(np.float64)[np.newaxis]
        theirs = self.thumbnails[others].reshape(-1, _PIXELS).astype(np.float64)
        own_crops = _crops(picture, _CUT)[0]
        own_crops = _PIXELS * own_crops - own_crops.sum(axis=1, keepdims=True)
        with_own = (theirs @ own_crops.T) / np.sqrt(self.plain[others, np.newaxis] * self.cropped[one])
        own = _crops(_PIXELS * picture - picture.sum(), _CUT.transpose(0, 2, 1))[0]
        with_theirs = (theirs @ own.T) / np.sqrt(self.plain[one] * self.cropped[others])
        best: NDArray[np.float64] = np.maximum(with_own.max(axis=1), with_theirs.max(axis=1))
        return best


def _crops(pictures: NDArray[Any], cut: NDArray[Any]) -> NDArray[Any]:
    """Every picture under every pair of cuts, across and down.  # [image, crop, pixel] of [image, EDGE, EDGE]"""
    count, rows = len(pictures), cut.reshape(-1, EDGE)
    across = (pictures.reshape(-1, EDGE) @ rows.T).reshape(count, EDGE, len(cut), EDGE)
    down = across.transpose(0, 2, 3, 1).reshape(-1, EDGE) @ rows.T
    crops: NDArray[Any] = down.reshape(count, len(cut), EDGE, len(cut), EDGE).transpose(0, 1, 3, 4, 2)
    return crops.reshape(count, -1, _PIXELS)


def _cut(before: float, after: float) -> NDArray[np.float64]:
    """Take a share of a line away at either end, stretch the rest: weights in sixteenths.  # [pixel, source pixel]"""
    weights = np.zeros((EDGE, EDGE))
    for pixel in range(EDGE):
        place = (before + (1 - before - after) * (pixel + 0.5) / EDGE) * EDGE - 0.5
        whole, part = divmod(round(16 * min(max(place, 0), EDGE - 1)), 16)
        weights[pixel, whole] += 16 - part
        weights[pixel, min(whole + 1, EDGE - 1)] += part
    return weights


def _cosines() -> NDArray[np.int64]:
    """The first rows of a DCT of the second kind, times 4096.  # [frequency, pixel] int64"""
    rows = [
        [round(_SCALE * math.cos(math.pi * frequency * (2 * pixel + 1) / (2 * _SIDE))) for pixel in range(_SIDE)]
        for frequency in range(_LOW)
    ]
    return np.array(rows, dtype=np.int64)


_DCT = _cosines()
_CUT = np.stack([_cut(*shares) for shares in CUTS])
