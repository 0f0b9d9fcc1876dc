"""A file in, an array H x W x C and its value range out; by suffix."""

import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypeAlias, cast

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.Image import Transpose

from foldproof import registry
from foldproof.errors import DataError

FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")  # others start programs (EPS) or hold no photograph
MODES = frozenset({"1", "L", "P", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
KINDS = MappingProxyType({"I": "whole numbers of 32 bits", "F": "floating-point numbers", "LAB": "LAB colour"})

_CONVERT = "convert it to one picture of 8 bits a channel, or register a reader for its suffix"

# What Pillow's decoders raise on damaged files: tried with some ten thousand corrupted ones.
_DAMAGE = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, ArithmeticError, MemoryError,
           AttributeError, struct.error, zlib.error, PIL.Image.DecompressionBombError)  # fmt: skip

_ORIENTATION = 0x0112
_UPRIGHT: Mapping[object, Transpose] = MappingProxyType(
    {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
)


@dataclass(frozen=True)
class Image:
    """A decoded picture and the range that its values can take, which need not be the range that they do take."""

    pixels: NDArray[np.uint8]  # [height, width, 3]
    lowest: int = 0
    highest: int = 255


Reader: TypeAlias = Callable[[Path], Image]


def suffixes() -> frozenset[str]:
    """The suffixes that a reader is known for, in lower case and with their dot."""
    return frozenset(registry.names("readers"))


def read(path: Path) -> Image:
    """The picture in `path`, by the reader for its suffix. Raises DataError with the file's name and what is wrong."""
    return cast("Reader", registry.load("readers", path.suffix.lower()))(path)


def read_with_pillow(path: Path) -> Image:
    """An upright RGB picture of 8 bits a channel: EXIF orientation applied, then Pillow's `convert("RGB")`.

    Raises DataError for what is damaged, and for what would lose values on the way: 16 bits, floats, several pages.
    """
    if not path.is_file():
        raise _refused(path, "not a file", next_step="look for it, or take it out of the folder")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise _refused(path, f"cannot be opened: {error.strerror}", next_step="mend the permissions") from None
    with stream:
        return Image(_pixels(stream, path))


def _pixels(stream: BinaryIO, path: Path) -> NDArray[np.uint8]:
    if not path.stat().st_size:
        raise _refused(path, "empty (0 bytes)")
    try:
        with _quiet, PIL.Image.open(stream, formats=FORMATS) as picture:
            reason = _loses_values(picture)
            if not reason:
                return _upright_rgb(picture)
    except PIL.UnidentifiedImageError:
        raise _refused(path, "not a BMP, JPEG, PNG, TIFF or WebP that Pillow can read") from None
    except PIL.Image.DecompressionBombError:
        limit = 2 * (PIL.Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise _refused(path, f"more than {limit} million pixels", next_step="make it smaller, or cut it up") from None
    except _DAMAGE as error:
        raise _refused(path, f"damaged: {_one_line(error)}") from None
    raise _refused(path, reason, next_step=_CONVERT)


def _loses_values(picture: PIL.Image.Image) -> str:
    """Why 8-bit RGB would not hold what is in the file; empty where it does. Looks at the header only."""
    tags = getattr(picture, "tag_v2", {})  # a TIFF's
    bits = max(tags.get(258, (8,)))
    if picture.format == "PNG" and any(";16" in str(tile.args) for tile in getattr(picture, "tile", ())):
        bits = 16
    if picture.mode == "F" or 3 in tags.get(339, ()):
        return "floating-point numbers, not 8-bit grey or colour"
    if bits > 8:
        return f"{bits} bits a channel, not 8"
    if 2 in tags.get(339, ()):
        return "signed numbers, not 8-bit grey or colour"
    if picture.mode not in MODES:
        return f"{KINDS.get(picture.mode, f'mode {picture.mode}')}, not 8-bit grey or colour"
    pages = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)  # a camera's JPEG may hold a preview too
    return f"{pages} pictures in one file" if pages > 1 else ""


def _upright_rgb(picture: PIL.Image.Image) -> NDArray[np.uint8]:
    picture.load()
    turn = _UPRIGHT.get(picture.getexif().get(_ORIENTATION))  # after load: a TIFF is turned, and loses its tag, there
    upright = picture if turn is None else picture.transpose(turn)
    return np.asarray(upright.convert("RGB"), dtype=np.uint8)


def _refused(path: Path, reason: str, *, next_step: str = "replace it by an intact copy, or remove it") -> DataError:
    return DataError(f"{path}: {reason}", next_step=next_step)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


class _Quiet:
    """Pillow's warnings are no news: what matters of them is refused. Counted, as the filters belong to all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.close()


_quiet = _Quiet()
