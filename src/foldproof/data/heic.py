"""Read HEIC photographs, through pillow-heif: `pip install 'foldproof[heic]'`."""

from functools import cache
from typing import BinaryIO

from foldproof.data.readers import Image, read_with_pillow


def read_heic(file: BinaryIO, most_pixels: int) -> Image:
    """As `read_with_pillow`: upright, 8 bits a channel, of several pictures the one that the file puts first."""
    _register()
    return read_with_pillow(file, most_pixels, formats=("HEIF", "AVIF"))


@cache
def _register() -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
