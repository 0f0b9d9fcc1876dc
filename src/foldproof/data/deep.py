"""Read PNG and TIFF files that 8-bit colour cannot hold, keeping their values, and record what was converted.

PNG through imagecodecs, TIFF through tifffile. Only compressions that lose nothing are read: others may come out
differently with another version of a library.
"""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from foldproof.data.heads import jpeg2000_bits, pnm_head
from foldproof.data.values import Pixels
from foldproof.errors import BadImage
from foldproof.storage.limits import PACKED_PNG_BYTES, TILE_PIXELS

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

COMPRESSIONS = frozenset({1, 5, 8, 32773, 32946, 34925, 34926, 50000})  # none, LZW, Deflate, PackBits, LZMA, Zstd
_GREY, _COLOUR = 1, 2  # PhotometricInterpretation: black is zero, and RGB
_PHOTOMETRICS = MappingProxyType({0: "grey whose zero is white", 3: "palette colours", 5: "CMYK", 8: "LAB colour"})
_TOLD = (0x010F, 0x0110, 0x0112)  # make, model, orientation
_WHITE = 65_535
_PREMULTIPLIED, _ALPHA = 1, 2  # ExtraSamples
_MOST_BITS = 32  # of a whole number: float64 holds each of them

_DAMAGE = (OSError, ValueError, LookupError, TypeError, EOFError, ArithmeticError, MemoryError, AttributeError,
           RuntimeError, AssertionError, struct.error)  # fmt: skip


@dataclass(frozen=True)
class Deep:
    """[height, width, 1 or 3] in the file's own kind of number, as it lies in the file.

    `tags`: what the file says of it, by the numbers of EXIF; `traits` as in `readers.Image`.
    """

    pixels: Pixels
    tags: Mapping[int, Any]
    traits: tuple[str, ...]


def read_png(file: BinaryIO, tags: Mapping[int, Any]) -> Deep:
    """A PNG of 16 bits a channel. Raises BadImage."""
    from imagecodecs import png_decode

    file.seek(0)
    content = file.read()
    _check_packed(content)
    return _decoded(png_decode, content, tags)


def read_pnm(content: bytes) -> Deep | None:
    """A PGM or PPM of more than 8 bits, its own value of white brought to 65,535; None for others. Raises BadImage."""
    head = pnm_head(content)
    if head is None or head.white <= 255:
        return None
    kind = content[:2]
    if kind not in (b"P5", b"P6") or head.white > _WHITE:
        raise unsupported("a PGM or PPM of more than 8 bits that is written as text")
    count = head.size.pixels * (3 if kind == b"P6" else 1)
    packed = content[head.at : head.at + 2 * count]
    if len(packed) < 2 * count:
        raise _damaged("a part of the picture is not in the file")
    values = np.frombuffer(packed, dtype=">u2")
    scaled = np.rint(np.minimum(values, head.white) * (_WHITE / head.white)).astype(np.uint16)
    return Deep(scaled.reshape(head.size.height, head.size.width, -1), {}, ())


def read_jpeg2000(content: bytes) -> Deep | None:
    """A JPEG 2000 of more than 8 bits a channel; None for others. Raises BadImage."""
    from imagecodecs import jpeg2k_decode

    return None if jpeg2000_bits(content) <= 8 else _decoded(jpeg2k_decode, content, {})


def _decoded(decode: Callable[[bytes], Any], content: bytes, tags: Mapping[int, Any]) -> Deep:
    try:
        pixels = decode(content)
    except _DAMAGE as error:
        raise _damaged(error) from None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    colours = pixels.shape[2] - (pixels.shape[2] + 1) % 2  # grey or RGB, each with transparency or without
    pixels, traits = _without_alpha(pixels, colours, premultiplied=False)
    return Deep(pixels, tags, traits)


def _check_packed(content: bytes) -> None:
    """Raises BadImage where more is packed than the pixels: it would all be unpacked, and thrown away."""
    width, height = struct.unpack_from(">LL", content, 16)
    packed, at = 0, 8
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4])
        packed += size if content[at + 4 : at + 8] == b"IDAT" else 0
        at += size + 12
    if packed > PACKED_PNG_BYTES + 9 * (width + 1) * (height + 8):
        raise _damaged("more is packed in it than its pixels")


def read_tiff(file: BinaryIO, most_pixels: int) -> Deep:
    """A TIFF of one page, grey or RGB. Raises BadImage with what of it is not supported."""
    from tifffile import TiffFile

    file.seek(0)
    try:
        with TiffFile(file) as tiff:
            page = _only_page(tiff)
            _check(page, most_pixels)
            values = page.asarray(maxworkers=1).reshape(page.shaped)  # [plane, 1, height, width, sample]
            tags = {int(tag.code): tag.value for tag in page.tags if tag.code in _TOLD}
            extra = tuple(int(kind) for kind in page.extrasamples)
    except BadImage:
        raise
    except _DAMAGE as error:
        raise _damaged(error) from None
    pixels = np.moveaxis(values[:, 0], 0, 2).reshape(*values.shape[2:4], -1)
    pixels, traits = _without_alpha(pixels, pixels.shape[2] - len(extra), premultiplied=_PREMULTIPLIED in extra)
    return Deep(pixels, tags, traits)


def turn_upright(pixels: Pixels, orientation: object) -> Pixels:
    """Turned as EXIF says."""
    turned = pixels.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def _only_page(tiff: "TiffFile") -> "TiffPage":
    from tifffile import TiffPage

    page = tiff.pages[0]
    stacked = int((tiff.imagej_metadata or {}).get("images", 1)) if tiff.is_imagej else 1
    planes = int((tiff.stk_metadata or {}).get("NumberPlanes", 1)) if tiff.is_stk else 1
    pictures = max(len(tiff.pages), stacked, planes)
    assert isinstance(page, TiffPage)
    if pictures > 1 or page.imagedepth > 1:
        raise unsupported(f"{max(pictures, page.imagedepth)} pictures in one file: a stack")
    return page


def _check(page: "TiffPage", most_pixels: int) -> None:
    """Everything that is refused is refused by the header, before a pixel is decoded."""
    width, height = page.imagewidth, page.imagelength
    if width < 1 or height < 1:
        raise _damaged("an edge of no pixels")
    if width * height > most_pixels:
        raise too_large(width, height, most_pixels)
    check_tiles(width, height, page.tilewidth, page.tilelength)
    samples, extra = page.samplesperpixel, tuple(int(kind) for kind in page.extrasamples)
    colours, photometric = samples - len(extra), int(page.photometric)
    if photometric not in (_GREY, _COLOUR):
        raise unsupported(f"{_PHOTOMETRICS.get(photometric, f'colours of kind {photometric}')}, not grey or RGB")
    if colours != (1 if photometric == _GREY else 3) or extra not in ((), (_ALPHA,), (_PREMULTIPLIED,)):
        kind = "grey" if photometric == _GREY else "RGB"
        more = samples - (1 if photometric == _GREY else 3)
        raise unsupported(f"{samples} channels ({kind} and {more} more), not 1 (grey) or 3 (RGB)")
    _check_numbers(page)
    if int(page.compression) not in COMPRESSIONS:
        raise unsupported(f"compressed by {getattr(page.compression, 'name', page.compression)}")
    if len(page.databytecounts) < math.prod(page.chunked) or min(page.databytecounts, default=0) <= 0:
        raise _damaged("a part of the picture is not in the file")


def check_tiles(width: int, height: int, tile_width: int, tile_height: int) -> None:
    """Raises BadImage where a tile is far larger than the picture: all of it would be decoded."""
    if tile_width * tile_height > max(TILE_PIXELS, 4 * width * height):
        raise _damaged(f"tiles of {tile_width} x {tile_height} pixels")


def _check_numbers(page: "TiffPage") -> None:
    kind = page.dtype
    if kind is None or kind.kind not in "uif" or (kind.kind != "f" and kind.itemsize * 8 > _MOST_BITS):
        raise unsupported(f"{page.bitspersample} bits a channel of kind {page.sampleformat}")


def _without_alpha(pixels: Pixels, colours: int, *, premultiplied: bool) -> tuple[Pixels, tuple[str, ...]]:
    """Only the colours, where something was transparent with the trait that says so."""
    alpha = pixels[..., colours:]
    opaque = np.iinfo(alpha.dtype).max if np.issubdtype(alpha.dtype, np.integer) else 1
    transparent = bool((alpha < opaque).any())
    if premultiplied and transparent:
        raise unsupported("colours that were multiplied by their transparency")
    return pixels[..., :colours], ("alpha",) if transparent else ()


def unsupported(reason: str) -> BadImage:
    return BadImage(
        reason, code="unsupported", next_step="save it as one grey or RGB picture, or register a reader for its suffix"
    )


def too_large(width: int, height: int, most_pixels: int) -> BadImage:
    return BadImage(
        f"{width} x {height}, more than {most_pixels // 1_000_000} million pixels",
        code="too-large",
        next_step="make it smaller, cut it up, or raise data.max_megapixels",
    )


def _damaged(error: Any) -> BadImage:
    said = " ".join(str(error).split())[:120] or type(error).__name__
    return BadImage(f"damaged: {said}", code="damaged", next_step="replace it by an intact copy, or remove it")
