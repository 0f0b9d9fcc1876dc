"""A file in, an array H x W x C and its value range out; by suffix."""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.Image import Transpose

from foldproof import registry
from foldproof.errors import BadImage

MOST_PIXELS = 178_956_970  # Pillow's own limit: half a gigabyte of RGB
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # others start programs (EPS) or hold no photograph
MODES = frozenset({"1", "L", "P", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
KINDS = MappingProxyType({"I": "whole numbers of 32 bits", "F": "floating-point numbers", "LAB": "LAB colour"})

_REPLACE = "replace it by an intact copy, or remove it"
_CONVERT = "convert it to one picture of 8 bits a channel, or register a reader for its suffix"

# What Pillow's decoders raise on damaged files: tried with some ten thousand corrupted ones.
_DAMAGE = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, ArithmeticError, MemoryError,
           AttributeError, struct.error, zlib.error)  # fmt: skip

_ORIENTATION, _MAKE, _MODEL = 0x0112, 0x010F, 0x0110
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
    """A decoded picture, the range that its values can take (not that they do take), and what its file says of it.

    `traits`: what was done to get these pixels from the file, of "rotated", "palette", "cmyk", "alpha" (a part that was
    transparent is not) and "animated" (the first frame was taken).
    """

    pixels: NDArray[np.uint8]  # [height, width, 3]
    lowest: int = 0
    highest: int = 255
    format: str = ""
    camera: str = ""
    traits: tuple[str, ...] = ()


Reader: TypeAlias = Callable[[BinaryIO, int], Image]  # a file and the most pixels it may have; raises BadImage


def suffixes() -> frozenset[str]:
    """The suffixes that a reader is known for, in lower case and with their dot."""
    return frozenset(registry.names("readers"))


def suffix_of(path: str) -> str:
    """The suffix of a path with slashes, in lower case and with its dot; "" where there is none."""
    start = path.rfind(".")
    hidden = start >= 0 and path[start - 1 : start] in ("", "/")
    return "" if start < 0 or hidden or "/" in path[start:] else path[start:].lower()


def reader_for(name: str) -> Reader:
    """The reader for the suffix of a file's name, in any case. Raises UnknownName."""
    return cast("Reader", registry.load("readers", suffix_of(name)))


def decode(name: str, content: bytes, *, most_pixels: int = MOST_PIXELS) -> Image:
    """The picture in the bytes of a file. Raises BadImage with what is wrong, not with the name."""
    if not content:
        raise _refused("empty", "empty (0 bytes)")
    image = reader_for(name)(io.BytesIO(content), most_pixels)
    if image.pixels.dtype != np.uint8 or image.pixels.ndim != 3 or image.pixels.shape[2] != 3:
        raise _refused(
            "unsupported",
            f"its reader returned {image.pixels.dtype} {list(image.pixels.shape)}, not uint8 [height, width, 3]",
        )
    return image


def read(path: Path, *, most_pixels: int = MOST_PIXELS) -> Image:
    """The picture in `path`. Raises BadImage with the file's name and what is wrong."""
    try:
        if not path.is_file():
            raise _refused("not-a-file", "not a file", next_step="look for it, or take it out of the folder")
        return decode(path.name, path.read_bytes(), most_pixels=most_pixels)
    except BadImage as error:
        raise BadImage(f"{path}: {error.what}", code=error.code, next_step=error.next_step) from None
    except OSError as error:
        raise BadImage(
            f"{path}: cannot be read: {error.strerror}", code="unreadable", next_step="mend the permissions"
        ) from None


def read_with_pillow(file: BinaryIO, most_pixels: int) -> Image:
    """An upright RGB picture of 8 bits a channel: EXIF orientation applied, then Pillow's `convert("RGB")`.

    Of an animation, the first frame. Raises BadImage for what is damaged, has more than `most_pixels`, or would lose
    values on the way: 16 bits, floats, the pages of a TIFF.
    """
    try:
        with _quiet, PIL.Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > most_pixels:
                size = f"{picture.width} x {picture.height}, more than {most_pixels // 1_000_000} million pixels"
                raise _refused("too-large", size, next_step="make it smaller, cut it up, or raise data.max_megapixels")
            reason = _loses_values(picture)
            if not reason:
                return _upright_rgb(picture)
    except PIL.UnidentifiedImageError:
        raise _refused("not-an-image", "not a BMP, GIF, JPEG, PNG, TIFF or WebP that Pillow can read") from None
    except _DAMAGE as error:
        raise _refused("damaged", f"damaged: {_one_line(error)}") from None
    raise _refused("unsupported", reason, next_step=_CONVERT)


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
    pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    return f"{pages} pictures in one file" if pages > 1 else ""


def _upright_rgb(picture: PIL.Image.Image) -> Image:
    turned_in_tiff = getattr(picture, "tag_v2", {}).get(_ORIENTATION, 1)
    animated = picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1  # a camera's JPEG may hold a preview
    picture.seek(0)
    picture.load()
    exif = picture.getexif()
    turn = _UPRIGHT.get(exif.get(_ORIENTATION))  # after load: a TIFF is turned, and loses its tag, there
    upright = picture if turn is None else picture.transpose(turn)
    traits = {
        "rotated": turn is not None or turned_in_tiff != 1,
        "palette": picture.mode in ("P", "PA"),
        "cmyk": picture.mode == "CMYK",
        "alpha": _is_transparent_somewhere(picture),
        "animated": animated,
    }
    return Image(
        np.asarray(upright.convert("RGB"), dtype=np.uint8),
        format=str(picture.format).replace("MPO", "JPEG"),
        camera=" ".join(filter(None, (_text(exif.get(_MAKE)), _text(exif.get(_MODEL))))),
        traits=tuple(name for name, present in traits.items() if present),
    )


def _is_transparent_somewhere(picture: PIL.Image.Image) -> bool:
    if picture.has_transparency_data:
        lowest, _ = cast("tuple[int, int]", picture.convert("RGBA").getchannel("A").getextrema())
        return lowest < 255
    return False


def _text(value: Any) -> str:
    return " ".join(value.replace("\0", " ").split())[:60] if isinstance(value, str) else ""


def _refused(code: str, reason: str, *, next_step: str = _REPLACE) -> BadImage:
    return BadImage(reason, code=code, next_step=next_step)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


class _Quiet:
    """Pillow's warnings are no news: what matters of them is refused. So is its limit on pixels: ours is stricter or
    meant. Counted, as both belong to all threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()
        self._limit: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                self._limit, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.close()
                PIL.Image.MAX_IMAGE_PIXELS = self._limit


_quiet = _Quiet()
