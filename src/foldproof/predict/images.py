"""Turn a file, a picture or an array into what a model sees of it, exactly as training does."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from foldproof.data.deep import turn_upright
from foldproof.data.pixels.fitted import Form, fitted
from foldproof.data.pixels.originals import decoded_content, file_content
from foldproof.data.readers import MODES
from foldproof.data.values import Pixels, Scaled
from foldproof.errors import DataError
from foldproof.storage import cleaned

_ORIENTATION = 0x0112
_PLANES = (1, 3)


class ImageFile(NamedTuple):
    """A file that may hold an image. `path`: as it was given; `file`: where it is."""

    path: str
    file: str


@dataclass(frozen=True)
class ImageHere:
    """An image that lies in memory: a Pillow image, or an array [height, width] or [height, width, channel]."""

    path: str
    picture: PIL.Image.Image | NDArray[Any]


Item: TypeAlias = ImageFile | ImageHere


class Input(NamedTuple):
    """What a model sees, [size, size, channel], and the SHA-256 of its file; None where it comes from none."""

    pixels: Scaled
    sha256: str | None


def model_input(item: Item, form: Form, *, most_pixels: int) -> Input:
    """Raises DataError that says what is wrong with the image, not which it is."""
    if isinstance(item, ImageHere):
        return Input(fitted(_pixels(item.picture), form), None)
    content = file_content(Path(item.file))
    pixels = decoded_content(os.path.basename(item.file), content, form, most_pixels=most_pixels)  # noqa: PTH119
    return Input(pixels, hashlib.sha256(content).hexdigest())


def _pixels(picture: PIL.Image.Image | NDArray[Any]) -> Pixels:
    """[height, width, channel]: a Pillow image turned as its EXIF says, grey of 8 bits given three times.

    Raises DataError where a picture is damaged, or an array is not uint8 or uint16 with one or three channels.
    """
    if isinstance(picture, PIL.Image.Image):
        try:
            picture.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"damaged: {cleaned(str(error), most=100)}") from error
        colours = picture.convert("RGB") if picture.mode in MODES else picture
        return _planes(turn_upright(_planes(np.asarray(colours)), picture.getexif().get(_ORIENTATION)))
    return _planes(picture)


def _planes(array: NDArray[Any]) -> Pixels:
    planes = array[:, :, np.newaxis] if array.ndim == 2 else array
    if array.dtype not in (np.uint8, np.uint16) or planes.ndim != 3 or planes.shape[2] not in _PLANES or not array.size:
        raise DataError(
            f"is {array.dtype} {list(array.shape)}: an array is uint8 or uint16, [height, width] or [height, width, 3]"
        )
    if planes.dtype == np.uint8 and planes.shape[2] == 1:
        planes = np.broadcast_to(planes, (*planes.shape[:2], 3))
    return np.ascontiguousarray(planes)
