"""Decode an original as a network sees it, after checking that it is still the file that was listed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foldproof.data.dataset import Sample
from foldproof.data.pixels.fitted import Form, fitted
from foldproof.data.readers import MOST_PIXELS, WHITE_BY_FORMAT, Image, decode, turn_for
from foldproof.data.value_range import SIXTEEN_BITS
from foldproof.data.values import Pixels, Scaled, scaled
from foldproof.errors import DamagedFile, DataError
from foldproof.storage import inside, read_file
from foldproof.storage.limits import IMAGE_BYTES


@dataclass(frozen=True)
class Originals:
    """Where images come from that are not all kept decoded, and what they are made into.

    `kept`: a `.npy` of the first of them in manifest order, decoded; None where none are.
    """

    folder: Path
    form: Form
    most_pixels: int = MOST_PIXELS
    kept: Path | None = None


def decoded_original(sample: Sample, originals: Originals) -> Scaled:
    """[size, size, channel] uint8 or uint16. Raises DataError that says what is wrong, not of which file."""
    path = inside(originals.folder, sample.path)
    content = file_content(path)
    if hashlib.sha256(content).hexdigest() != sample.sha256:
        raise DataError("changed since it was listed")
    return decoded_content(path.name, content, originals.form, most_pixels=originals.most_pixels)


def decoded_content(name: str, content: bytes, form: Form, *, most_pixels: int) -> Scaled:
    """What a network sees of the bytes of a file called `name`: [size, size, channel] uint8 or uint16.

    Raises DataError that says what is wrong, not of which file.
    """
    with turn_for(content):
        image = decode(name, content, most_pixels=most_pixels)
        return fitted(_in_bytes(image) if form.within is None else image.pixels, form)


def _in_bytes(image: Image) -> Pixels:
    """The pixels of an image among such of 8 bits: of 16, brought to these where its format says what is white."""
    if image.pixels.dtype != np.uint16 or image.format not in WHITE_BY_FORMAT:
        return image.pixels
    return np.ascontiguousarray(np.broadcast_to(scaled(image.pixels, SIXTEEN_BITS), (*image.pixels.shape[:2], 3)))


def file_content(path: Path) -> bytes:
    """The bytes of an image file. Raises DataError that says why they cannot be read, not of which file."""
    try:
        return read_file(path, most_bytes=IMAGE_BYTES)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}") from None
    except DamagedFile as error:
        raise DataError(error.what) from None
