"""The original of an image in; its pixels as a network sees them, if it is still the file that was listed, out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from foldproof.data.dataset import Sample
from foldproof.data.pixels.fitted import Form, fitted
from foldproof.data.readers import decode
from foldproof.data.values import Pixels, Scaled
from foldproof.errors import DataError
from foldproof.storage import inside


@dataclass(frozen=True, kw_only=True)
class Originals:
    """Where images come from that are not all kept decoded, and what they are made into.

    `kept`: a `.npy` of the first of them in manifest order, decoded; None where none are.
    """

    folder: Path
    form: Form
    most_pixels: int
    kept: Path | None = None


def decoded_original(sample: Sample, folder: Path, form: Form, *, most_pixels: int) -> Scaled:
    """[size, size, channel] uint8 or uint16. Raises DataError that says what is wrong, not of which file."""
    return fitted(_pixels(inside(folder, sample.path), sample.sha256, most_pixels), form)


def _pixels(path: Path, sha256: str, most_pixels: int) -> Pixels:
    """The pixels of a file whose content is still the one that was listed: else they would be taken for others."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError("changed since it was listed")
    return decode(path.name, content, most_pixels=most_pixels).pixels
