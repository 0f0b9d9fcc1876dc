"""Read a picture that NumPy saved (`.npy`): [height, width], or with 1 or 3 channels last.

Bytes are grey or RGB as they stand, truth values black and white; other numbers keep their values, and data.range says
what is black and white for all images.
"""

import math
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from foldproof.data.deep import too_large, unsupported
from foldproof.data.readers import Image
from foldproof.errors import BadImage

_FITS = np.iinfo(np.int32)  # what a list of whole numbers becomes has 64 bits, and rarely needs them
_HEADS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_NEXT_STEP = "write it again with `numpy.save`, or leave it out"


def read_npy(file: BinaryIO, most_pixels: int) -> Image:
    """Raises BadImage for anything but one grey or RGB picture of plain numbers; nothing in it is run."""
    content = file.read()
    file.seek(0)
    try:
        shape, kind = _head(file)
        begin = file.tell()
    except (ValueError, OSError, EOFError, SyntaxError, TypeError) as error:
        raise BadImage(f"not an array of NumPy: {' '.join(str(error).split())[:120]}", code="not-an-image",
                       next_step=_NEXT_STEP) from None  # fmt: skip
    height, width = _edges(shape)
    if height * width > most_pixels:
        raise too_large(width, height, most_pixels)
    if kind.hasobject or kind.kind not in "buif":
        raise unsupported(f"numbers of the kind {kind}")
    if len(content) - begin < math.prod(shape) * kind.itemsize:
        raise BadImage("damaged: a part of the picture is not in the file", code="damaged", next_step=_NEXT_STEP)
    file.seek(0)
    pixels = npy.read_array(file, allow_pickle=False).reshape(height, width, -1)
    if kind.kind == "b":
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if (
        pixels.dtype.kind in "iu"
        and pixels.dtype.itemsize == 8
        and _FITS.min <= pixels.min() <= pixels.max() <= _FITS.max
    ):
        pixels = pixels.astype(np.int32)
    if pixels.dtype == np.uint8:
        pixels = np.broadcast_to(pixels, (height, width, 3))
    return Image(np.ascontiguousarray(pixels), format="NPY")


def _head(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    version = npy.read_magic(file)
    if version not in _HEADS:
        raise ValueError(f"version {version} of the format")
    read = _HEADS[version]
    shape, _, kind = read(file)
    return shape, kind


def _edges(shape: tuple[int, ...]) -> tuple[int, int]:
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))) or not all(shape):
        raise unsupported(
            f"an array of the shape {list(shape)}: [height, width] or [height, width, 1 or 3] is a picture"
        )
    return shape[0], shape[1]
