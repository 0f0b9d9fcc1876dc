"""Make small pictures of exactly the images that were predicted, from the data folder.

A picture is read only below the data folder, only where its content has the recorded hash, and only up to a size.
"""

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps

from foldproof.data.readers import decode
from foldproof.data.value_range import ValueRange
from foldproof.data.values import scaled
from foldproof.errors import DamagedFile, FoldproofError
from foldproof.storage import read_inside

EDGE = 96  # pixels
_MOST_BYTES = 64 * 2**20
_MOST_PIXELS = 64_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


class NotShown(Exception):
    """Why a picture cannot be shown, in a few words."""


def thumbnail(folder: Path, path: str, *, sha256: str, within: ValueRange | None = None) -> bytes:
    """A WebP of at most 96 pixels an edge, from black to white as `within` says where images have more than 8 bits.

    Raises NotShown where the file is gone, is another now, or is no picture.
    """
    try:
        content = read_inside(folder, path, most_bytes=_MOST_BYTES)
    except FileNotFoundError:
        raise NotShown("is not there") from None
    except (DamagedFile, OSError):
        raise NotShown("may not or cannot be read") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotShown("is another file now")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _small(content) if within is None else _small_deep(path, content, within)
    except (FoldproofError, OSError, ValueError, SyntaxError, MemoryError, EOFError, PIL.Image.DecompressionBombError):
        raise NotShown("cannot be shown small") from None


def _small_deep(path: str, content: bytes, within: ValueRange) -> bytes:
    pixels = decode(path, content, most_pixels=_MOST_PIXELS).pixels
    eight = scaled(pixels, within._replace(bits=8))
    return _as_webp(PIL.Image.fromarray(np.ascontiguousarray(np.broadcast_to(eight, (*eight.shape[:2], 3)))))


def _small(content: bytes) -> bytes:
    with PIL.Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError("too large")
        picture.draft("RGB", (2 * EDGE, 2 * EDGE))
        upright = PIL.ImageOps.exif_transpose(_eight_bits(picture))
        shown = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
    return _as_webp(shown)


def _as_webp(shown: PIL.Image.Image) -> bytes:
    shown.thumbnail((EDGE, EDGE))
    file = io.BytesIO()
    shown.save(file, format="WEBP", quality=72, method=2)
    return file.getvalue()


def _eight_bits(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Deep grey values from darkest to brightest; others as they are."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    low, high = picture.convert("F").getextrema()
    scale = 255.0 / (float(high) - float(low)) if high > low else 0.0  # type: ignore[arg-type, operator]
    return picture.convert("F").point(lambda value: (value - float(low)) * scale).convert("L")  # type: ignore[arg-type]
