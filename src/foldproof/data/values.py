"""Measure the values of pixels of any kind, and scale them to 8 or 16 bits. Pure.

Only float64's +, -, *, / and rounding: the same bits on every machine.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof.data.value_range import ValueRange

Pixels: TypeAlias = NDArray[Any]  # [height, width, channel]
Scaled: TypeAlias = NDArray[Any]  # uint8 or uint16

STRAY = 1000  # one value in this many, at either end, may be a hot or a dead pixel


class Values(NamedTuple):
    """Which values a picture of more than 8 bits a channel takes, all channels together, as they stand in its file.

    `low` and `high` leave out one value in a thousand at either end; `second_lowest` and `second_highest` leave out the
    end itself, however often it is there. `whole`: they are whole numbers.
    """

    whole: bool
    lowest: float
    highest: float
    low: float
    high: float
    second_lowest: float
    second_highest: float

    @staticmethod
    def of(pixels: Pixels) -> "Values":
        flat = pixels.reshape(-1)
        stray = len(flat) // STRAY
        ordered = np.partition(flat, sorted({0, stray, len(flat) - 1 - stray, len(flat) - 1}))
        lowest, low, high, highest = (float(ordered[place]) for place in (0, stray, -1 - stray, -1))
        inner = flat[(flat > lowest) & (flat < highest)]
        second = (float(inner.min()), float(inner.max())) if inner.size else (highest, lowest)
        return Values(bool(np.issubdtype(pixels.dtype, np.integer)), lowest, highest, low, high, *second)


def levels(plane: NDArray[Any], within: ValueRange) -> NDArray[np.float32]:
    """One channel on the scale of `within`, not yet rounded: 0 to 2**bits - 1.  # [height, width] float32"""
    shares = plane.astype(np.float64)
    shares -= within.low
    shares /= within.high - within.low
    np.clip(shares, 0.0, 1.0, out=shares)
    shares *= 2**within.bits - 1
    return shares.astype(np.float32)


def rounded(plane: NDArray[np.float32], bits: int) -> Scaled:
    """Levels as whole numbers of 8 or 16 bits."""
    whole = np.rint(plane)
    return whole.astype(np.uint8) if bits == 8 else whole.astype(np.uint16)


def scaled(pixels: Pixels, within: ValueRange) -> Scaled:
    """Pixels on the scale of `within`, of the same shape."""
    planes: list[Scaled] = [
        rounded(levels(pixels[..., channel], within), within.bits) for channel in range(pixels.shape[2])
    ]
    made: Scaled = np.stack(planes, axis=2)
    return made
