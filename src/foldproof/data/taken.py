"""Read when a camera took each image from its EXIF data. Decodes nothing."""

import io
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import PIL.Image

from foldproof.storage import read_file
from foldproof.storage.limits import IMAGE_BYTES

THREADS = 8  # more than cores: a folder may lie on a network drive
_DETAILS = 0x8769  # of EXIF, where a camera writes
_WRITTEN = ((0x9003, 0x9011), (0x9004, 0x9012))  # when it was taken, or digitised, and in which time zone
_MOMENT = re.compile(r"[0-9]{4}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def times_taken(folder: Path, paths: Sequence[str]) -> Mapping[str, str]:
    """When each of `paths` in `folder` was taken, by path; empty where its file does not say."""
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(paths, pool.map(lambda path: time_taken(folder / path), paths), strict=True))


def time_taken(file: Path) -> str:
    """`2024:03:31 14:05:00`, with the time zone where that is known. When a file was edited is no such time."""
    with suppress(Exception):  # a bad file is the check's to name
        content = read_file(file, most_bytes=IMAGE_BYTES)
        with PIL.Image.open(io.BytesIO(content)) as picture:
            details = picture.getexif().get_ifd(_DETAILS)
        for moment, zone in _WRITTEN:
            told = str(details.get(moment, "")).strip("\0 ")
            if _MOMENT.fullmatch(told) and not told.startswith("0000"):
                return f"{told}{str(details.get(zone, '')).strip(chr(0) + ' ')}"
    return ""
