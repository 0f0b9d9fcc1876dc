"""A picture in; the square that a network sees of it, on one scale for all images, out. Pure.

Pillow resizes 8-bit pictures in fixed point, deeper ones as float32 a channel, in plain C and double precision:
nothing is rounded before the end.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import PIL.Image

from foldproof.data.values import Pixels, Scaled, ValueRange, levels, rounded
from foldproof.errors import DataError

Resize: TypeAlias = Literal["squash"]
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
    def image_bytes(self) -> int:
        return self.size * self.size * self.channels * self.bits // 8


def fitted(pixels: Pixels, form: Form) -> Scaled:
    """A decoded picture in that form: [size, size, channels] uint8 or uint16; one that has the size stays as it is.

    Raises DataError where a picture has colours and one channel, or more than 8 bits and no range, or the reverse.
    """
    if (pixels.dtype != np.uint8) != (form.within is not None):
        raise DataError(f"has {8 * pixels.dtype.itemsize} bits a channel, unlike the others")
    wanted = pixels if form.channels == 3 else _grey(pixels)
    if form.within is None:
        return _resized(wanted, form.size)
    planes = [_plane(wanted, channel, form.size, form.within) for channel in range(wanted.shape[2])]
    made: Scaled = np.stack([planes[channel % len(planes)] for channel in range(form.channels)], axis=2)
    return made


def _grey(pixels: Pixels) -> Pixels:
    grey = pixels[..., :1]
    if not (pixels == grey).all():
        raise DataError("has colours, and data.channels is 1: set it to 3")
    return grey


def _resized(pixels: Pixels, size: int) -> Scaled:
    if pixels.shape[:2] == (size, size):
        return pixels
    picture = PIL.Image.fromarray(pixels if pixels.shape[2] == 3 else np.ascontiguousarray(pixels[..., 0]))
    small = np.asarray(picture.resize((size, size), PIL.Image.Resampling.BILINEAR))
    return small.reshape(size, size, -1)


def _plane(pixels: Pixels, channel: int, size: int, within: ValueRange) -> Scaled:
    """One channel.  # [size, size]"""
    plane = levels(pixels[..., channel], within)
    if plane.shape != (size, size):
        picture = PIL.Image.fromarray(plane).resize((size, size), PIL.Image.Resampling.BILINEAR)
        plane = np.asarray(picture)
    return rounded(plane, within.bits)
