"""Read an image file by its suffix into an array H x W x C of its own values."""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
import PIL.Image

from foldproof import registry
from foldproof.data import deep
from foldproof.data.heads import HEAD_BYTES, TIFF_BEGINNINGS, Size, boxed_bits, format_of, size_of, tiff_pages
from foldproof.data.silence import silence
from foldproof.data.turns import turns
from foldproof.data.values import Pixels
from foldproof.errors import BadImage
from foldproof.storage import read_file
from foldproof.storage.limits import ANY_PIXELS, IMAGE_BYTES, IMAGE_PIXELS, PIXELS_A_BYTE

MOST_PIXELS = int(IMAGE_PIXELS)
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TGA", "TIFF", "WEBP")
# Other formats start programs (EPS) or hold no photograph.
EXTRAS: Mapping[str, str] = MappingProxyType(  # the package that a suffix needs
    {
        **dict.fromkeys((".heic", ".heif", ".hif"), "pillow-heif"),
        **dict.fromkeys((".dcm", ".dicom", ".ima"), "pydicom"),
    }
)
_SUFFIX_OF = MappingProxyType({"HEIC": ".heic", "DICOM": ".dcm"})  # for formats that are not Pillow's
BY_CONTENT = frozenset(FORMATS) - {"DIB", "QOI", "TGA"}  # read without a suffix: their first bytes leave no doubt
WHITE_BY_FORMAT = frozenset({"PNG", "PPM"})  # of 16 bits, the highest number is white
MODES = frozenset({"1", "L", "P", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
KINDS = MappingProxyType({"LAB": "LAB colour"})
DEEP = tuple(map(np.dtype, ("uint16", "int8", "int16", "uint32", "int32", "float16", "float32", "float64")))
LARGEST = float(np.finfo(np.float32).max)

_REPLACE = "replace it by an intact copy, or remove it"

# What Pillow's decoders raise on damaged files: tried with some ten thousand corrupted ones.
_DAMAGE = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, ArithmeticError, MemoryError,
           AttributeError, RuntimeError, struct.error, zlib.error)  # fmt: skip

_PAGE = ("not-an-image", "a web page instead of a picture: its download failed")
_NOT_THE_PICTURE: Mapping[bytes, tuple[str, str]] = MappingProxyType(
    {
        b"version https://git-lfs.github.com/spec/": ("git-lfs-pointer", "a pointer of git-lfs instead of the picture"),
        **dict.fromkeys((b"<!DOCTYPE html", b"<!doctype html", b"<html"), _PAGE),
    }
)
_TILE_WIDTH, _TILE_HEIGHT = 322, 323  # tags of a TIFF
_ORIENTATION, _MAKE, _MODEL = 0x0112, 0x010F, 0x0110
_TURNED = range(2, 9)  # orientations that are not upright


@dataclass(frozen=True)
class Image:
    """A decoded picture, and what its file says of it.

    `pixels` are uint8 RGB, [height, width, 3]; or of one of the kinds in `DEEP`, grey or RGB, [height, width, 1 or 3],
    finite, with the values that stand in the file: what is black and what is white is known of a whole set of images.
    `traits`: what was done to get these pixels from the file, of "rotated", "palette", "cmyk", "alpha" (a part that was
    transparent is not), "animated" (the first frame was taken), "windowed" (a DICOM file said what is black and white)
    and "narrowed" (more than 8 bits a channel were brought to 8).
    """

    pixels: Pixels
    format: str = ""
    camera: str = ""
    traits: tuple[str, ...] = ()


Reader: TypeAlias = Callable[[BinaryIO, int], Image]  # a file and the most pixels it may have; raises BadImage


def suffixes() -> frozenset[str]:
    """The suffixes that a reader is known for, in lower case and with their dot; without those that need an extra."""
    return frozenset(name for name in registry.names("readers") if _is_there(name))


def suffix_of(path: str) -> str:
    """The suffix of a path with slashes, in lower case and with its dot; "" where there is none."""
    start = path.rfind(".")
    hidden = start >= 0 and path[start - 1 : start] in ("", "/")
    return "" if start < 0 or hidden or "/" in path[start:] else path[start:].lower()


def reader_for(name: str) -> Reader:
    """The reader for the suffix of a file's name, in any case; where it has none that is known, that by its content."""
    suffix = suffix_of(name)
    return cast("Reader", registry.load("readers", suffix)) if has_reader(suffix) else read_by_content


def reader_named(suffix: str) -> str:
    """What tells the reader of a suffix from others: where it is, and the version of the extra that it needs."""
    reader: Any = reader_for(f"image{suffix}")
    packages = EXTRAS.values() if reader is read_by_content else filter(None, [EXTRAS.get(suffix)])
    versions = (f" {package} {version(package)}" for package in sorted(set(packages)) if _is_installed(package))
    return f"{reader.__module__}:{getattr(reader, '__qualname__', reader)}{''.join(versions)}"


@lru_cache(maxsize=256)
def is_our_own(suffix: str) -> bool:
    """Whether files of this suffix are read here, by their content, and by nobody's reader from elsewhere."""
    reader: Any = reader_for(f"image{suffix}")
    return reader in (read_with_pillow, read_by_content)


@lru_cache(maxsize=256)
def has_reader(suffix: str) -> bool:
    """Whether a reader is known for the suffix; without one, the content tells."""
    return bool(suffix) and _is_there(suffix) and registry.is_known("readers", suffix)


def _is_there(suffix: str) -> bool:
    return suffix not in EXTRAS or _is_installed(EXTRAS[suffix])


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package.replace("-", "_")) is not None


def decode(name: str, content: bytes, *, most_pixels: int = MOST_PIXELS) -> Image:
    """The picture in the bytes of a file. Raises BadImage with what is wrong, not with the name."""
    if not content:
        raise _refused("empty", "empty (0 bytes)")
    for beginning, refusal in _NOT_THE_PICTURE.items():
        if content.startswith(beginning):
            raise _refused(*refusal)
    with turn_for(content):
        image = reader_for(name)(io.BytesIO(content), most_pixels)
    return image if image.pixels.dtype == np.uint8 and image.pixels.shape[2:] == (3,) else _checked(image)


def turn_for(content: bytes) -> AbstractContextManager[None]:
    """A turn to decode the picture in the bytes of a file and to look at its pixels: see `turns`."""
    size = size_of(content)
    return turns.taken(size.pixels if size else ANY_PIXELS)


def _check_head(content: bytes, most_pixels: int) -> None:
    """Before a decoder takes memory for it, as that of WebP does when it is opened. Raises BadImage."""
    if (pages := tiff_pages(content)) > 1:
        raise deep.unsupported(f"{pages:,} pictures in one file: a stack")
    size = size_of(content) or Size(0, 0)
    _check_size(size, content, most_pixels)


def _check_size(size: Size, content: bytes, most_pixels: int) -> None:
    if size.pixels > most_pixels:
        raise deep.too_large(*size, most_pixels)
    if size.pixels > max(ANY_PIXELS, PIXELS_A_BYTE * len(content)):
        raise _refused(
            "too-large",
            f"{size.width} x {size.height} in {len(content):,} bytes: nothing can be seen on so large a picture",
            next_step="make it smaller, or leave it out",
        )


def _checked(image: Image) -> Image:
    """A deep picture, in this machine's order of bytes. Raises BadImage where it is not what `Image` says."""
    pixels = image.pixels.astype(image.pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype not in DEEP or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not pixels.size:
        shape = f"{pixels.dtype} {list(pixels.shape)}"
        raise _refused("unsupported", f"its reader returned {shape}, not uint8 [height, width, 3]")
    if pixels.dtype.kind == "f":
        finite = np.isfinite(pixels) if pixels.dtype != np.float64 else np.abs(pixels) <= LARGEST
        if not finite.all():
            raise _refused(
                "not-finite",
                f"{int(np.count_nonzero(~finite)):,} of {pixels.size:,} values are no finite numbers",
                next_step="give them a value, such as that of the background, or leave the picture out",
            )
    return replace(image, pixels=pixels)


def read(path: Path, *, most_pixels: int = MOST_PIXELS) -> Image:
    """The picture in `path`. Raises BadImage with the file's name and what is wrong."""
    try:
        if not path.is_file():
            raise _refused("not-a-file", "not a file", next_step="look for it, or take it out of the folder")
        if path.stat().st_size > IMAGE_BYTES:
            raise too_many_bytes()
        return decode(path.name, read_file(path, most_bytes=IMAGE_BYTES), most_pixels=most_pixels)
    except BadImage as error:
        raise BadImage(f"{path}: {error.what}", code=error.code, next_step=error.next_step) from None
    except OSError as error:
        raise BadImage(
            f"{path}: cannot be read: {error.strerror}", code="unreadable", next_step="fix the permissions"
        ) from None


def too_many_bytes() -> BadImage:
    return _refused(
        "too-large", f"more than {IMAGE_BYTES / 2**30:.0f} GiB", next_step="make it smaller, or leave it out"
    )


def read_by_content(file: BinaryIO, most_pixels: int) -> Image:
    """The picture in a file whose name says nothing. Raises BadImage."""
    suffix = _SUFFIX_OF.get(format_of(file.read(HEAD_BYTES)), "")
    file.seek(0)
    reader = cast("Reader", registry.load("readers", suffix)) if has_reader(suffix) else read_with_pillow
    return reader(file, most_pixels)


def read_with_pillow(file: BinaryIO, most_pixels: int, *, formats: tuple[str, ...] = FORMATS) -> Image:
    """An upright picture, EXIF orientation applied: Pillow's `convert("RGB")` where 8 bits a channel hold it.

    Of an animation, the first frame. A PNG or TIFF of 16 bits or of floating-point numbers keeps its values. Raises
    BadImage for what is damaged, has more than `most_pixels`, more channels than colour has, or is a stack.
    """
    silence()
    content = file.read()
    _check_head(content, most_pixels)
    file.seek(0)
    try:
        with _quiet, PIL.Image.open(file, formats=formats) as picture:
            _check_size(Size(picture.width, picture.height), content, most_pixels)
            deep.check_tiles(*picture.size, *_tile(picture))
            format_ = str(picture.format)
            if (read_deep := _DEEP_BY_HEAD.get(format_)) is not None and (found := read_deep(content)) is not None:
                return _deep_image(found, format_)
            if not _loses_values(picture):
                return _upright_rgb(picture, narrowed=boxed_bits(content) > 8)
            if picture.format == "PNG":
                return _upright_png(picture, file)
            if picture.format != "TIFF":
                kind = KINDS.get(picture.mode, f"mode {picture.mode}")
                raise deep.unsupported(f"{kind}, not 8-bit grey or colour")
    except PIL.UnidentifiedImageError:
        if not _is_tiff(file):
            raise _refused(
                "not-an-image", "not a BMP, GIF, JPEG, PNG, TIFF or WebP, nor another picture that can be read"
            ) from None
    except _DAMAGE as error:
        raise _refused("damaged", f"damaged: {_one_line(error)}") from None
    return _deep_image(deep.read_tiff(file, most_pixels), "TIFF")


_DEEP_BY_HEAD: Mapping[str, Callable[[bytes], deep.Deep | None]] = MappingProxyType(
    {"PPM": deep.read_pnm, "JPEG2000": deep.read_jpeg2000}
)


def _is_tiff(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(4) in TIFF_BEGINNINGS


def _loses_values(picture: PIL.Image.Image) -> bool:
    """Whether 8-bit RGB would not hold what is in the file. Looks at the header only."""
    tags = getattr(picture, "tag_v2", {})  # a TIFF's
    bits = max(tags.get(258, (8,)))
    if picture.format == "PNG" and any(";16" in str(tile.args) for tile in getattr(picture, "tile", ())):
        bits = 16
    return bits > 8 or not {2, 3}.isdisjoint(tags.get(339, ())) or picture.mode not in MODES


def _tile(picture: PIL.Image.Image) -> tuple[int, int]:
    """Width and height of the tiles of a TIFF."""
    tags = getattr(picture, "tag_v2", {})
    width, height = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    return int(width), int(height)


def _upright_png(picture: PIL.Image.Image, file: BinaryIO) -> Image:
    picture.load()  # what is said of the picture may come after it
    return _deep_image(deep.read_png(file, picture.getexif()), "PNG")


def _deep_image(found: deep.Deep, format_: str) -> Image:
    turn = found.tags.get(_ORIENTATION, 1)
    pixels = deep.turn_upright(found.pixels, turn)
    if pixels.dtype == np.uint8:  # in a TIFF that Pillow does not know
        pixels = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    turned = ("rotated",) if turn in _TURNED else ()
    return Image(pixels, format=format_, camera=_camera(found.tags), traits=(*turned, *found.traits))


def _camera(exif: Mapping[int, Any]) -> str:
    return " ".join(filter(None, (_text(exif.get(_MAKE)), _text(exif.get(_MODEL)))))


def _upright_rgb(picture: PIL.Image.Image, *, narrowed: bool) -> Image:
    turned_in_tiff = getattr(picture, "tag_v2", {}).get(_ORIENTATION, 1)
    animated = picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1  # a camera's JPEG may hold a preview
    if picture.format != "HEIF":  # which opens the picture that it puts first
        picture.seek(0)
    picture.load()
    exif = picture.getexif()
    turn = exif.get(_ORIENTATION)  # after load: a TIFF is turned, and loses its tag, there
    traits = {
        "rotated": turn in _TURNED or turned_in_tiff != 1,
        "palette": picture.mode in ("P", "PA"),
        "cmyk": picture.mode == "CMYK",
        "alpha": _is_transparent_somewhere(picture),
        "animated": animated,
        "narrowed": narrowed,
    }
    return Image(
        deep.turn_upright(np.asarray(picture.convert("RGB"), dtype=np.uint8), turn),
        format=str(picture.format).replace("MPO", "JPEG"),
        camera=_camera(exif),
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
