"""Fit a picture to the square that a network sees, on one scale for all images. Pure.

Pillow resizes 8-bit pictures in fixed point, deeper ones as float32 a channel, in plain C and double precision:
nothing is rounded before the end. A picture that is not square is squashed into one, or cut down to its middle, or
padded with black.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import PIL.Image

from foldproof.data.value_range import ValueRange
from foldproof.data.values import Pixels, Scaled, levels, rounded
from foldproof.errors import DataError

Resize: TypeAlias = Literal["squash", "pad", "crop"]
Channels: TypeAlias = Literal[1, 3]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What all images are made into. `within`: the values from black to white; None for 8-bit images."""

    size: int
    resize: Resize = "squash"
    channels: Channels = 3
    within: ValueRange | None = None

    @property
    def bits(self) -> int:
        return 8 if self.within is None else self.within.bits

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image: height, width, channels."""
        return self.size, self.size, self.channels

    @property
    def number(self) -> str:
        """The kind of number of a value, as numpy spells it."""
        return "|u1" if self.bits == 8 else "<u2"

    @property
    def about(self) -> dict[str, Any]:
        """What a person may know of it."""
        return {"size": self.size, "resize": self.resize, "channels": self.channels, "bits": self.bits}

    @property
    def image_bytes(self) -> int:
        return self.size * self.size * self.channels * self.bits // 8


def fitted(pixels: Pixels, form: Form) -> Scaled:
    """A decoded picture in that form: [size, size, channels] uint8 or uint16; one that has the size stays as it is.

    Raises DataError where a picture has colours and one channel, or more than 8 bits and no range, or the reverse.
    """
    if (pixels.dtype != np.uint8) != (form.within is not None):
        raise DataError(f"has {8 * pixels.dtype.itemsize} bits a channel, unlike the others")
    wanted = pixels if form.channels == 3 else _grey(pixels)
    if form.resize == "crop":
        wanted = _middle(wanted)
    inner = _inner(wanted, form.size) if form.resize == "pad" else (form.size, form.size)
    if form.within is None:
        return _padded(_resized(wanted, inner), form.size)
    planes = [_plane(wanted, channel, inner, form.within) for channel in range(wanted.shape[2])]
    made: Scaled = np.stack([planes[channel % len(planes)] for channel in range(form.channels)], axis=2)
    return _padded(made, form.size)


def _middle(pixels: Pixels) -> Pixels:
    """The largest square in the middle."""
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    return np.ascontiguousarray(pixels[top : top + edge, left : left + edge])


def _inner(pixels: Pixels, size: int) -> tuple[int, int]:
    """Height and width of the picture whose longer edge is `size`."""
    longest = max(pixels.shape[:2])
    height, width = (max(1, (2 * edge * size + longest) // (2 * longest)) for edge in pixels.shape[:2])
    return height, width


def _padded(pixels: Scaled, size: int) -> Scaled:
    """In the middle of a black square."""
    height, width = pixels.shape[:2]
    if height == width == size:
        return pixels
    square = np.zeros((size, size, pixels.shape[2]), dtype=pixels.dtype)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def _grey(pixels: Pixels) -> Pixels:
    grey = pixels[..., :1]
    if not (pixels == grey).all():
        raise DataError("has colours, and data.channels is 1: set it to 3")
    return grey


def _resized(pixels: Pixels, shape: tuple[int, int]) -> Scaled:
    """Height and width as in `shape`."""
    if pixels.shape[:2] == shape:
        return pixels
    picture = PIL.Image.fromarray(pixels if pixels.shape[2] == 3 else np.ascontiguousarray(pixels[..., 0]))
    small = np.asarray(picture.resize(shape[::-1], PIL.Image.Resampling.BILINEAR))
    return small.reshape(*shape, -1)


def _plane(pixels: Pixels, channel: int, shape: tuple[int, int], within: ValueRange) -> Scaled:
    """One channel, of that height and width."""
    plane = levels(pixels[..., channel], within)
    if plane.shape != shape:
        picture = PIL.Image.fromarray(plane).resize(shape[::-1], PIL.Image.Resampling.BILINEAR)
        plane = np.asarray(picture)
    return rounded(plane, within.bits)
