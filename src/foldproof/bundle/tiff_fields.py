"""Name what a TIFF file or an EXIF block says besides the pixels. Pure."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from PIL import ExifTags

THUMBNAIL = "thumbnail"
# Baseline TIFF: the layout of pixels, their colours, resolution and orientation.
_TIFF_HARMLESS = frozenset(
    (
        *(*range(254, 260), *range(262, 267), 273, 274, *range(277, 285), *range(288, 294), 296, 297, 301),
        *(*range(317, 326), 328, 332, 334, 336, *range(338, 343), 347, *range(512, 516), *range(517, 522)),
        *(*range(529, 533), 34675),
    )
)
_EXIF_HARMLESS = frozenset((0x0001, 0x0002, 0x9000, 0x9101, 0xA000, 0xA001, 0xA002, 0xA003, 0xA500))
_EXIF_FOLDERS = {0x8769: "Exif", 0xA005: "Interop"}
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_FOLDERS = 10_000
_MOST_FIELDS = 10_000
_MORE_FOLDERS = 330
_STARTS_AND_SIZES = ((273, 279), (324, 325))  # of strips and of tiles


@dataclass
class Walked:
    """The fields that may tell something, and where the last thing that the structure names ends."""

    fields: list[str] = field(default_factory=list)
    end: int = 0


class _Layout:
    """How numbers stand in a TIFF file: its byte order, and whether it is a BigTIFF."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.order = {b"II": "<", b"MM": ">"}[content[:2]] if content[:2] in (b"II", b"MM") else ""
        if not self.order:
            raise ValueError("no byte order")
        self.big = struct.unpack_from(f"{self.order}H", content, 2)[0] == 43
        self.offset = "Q" if self.big else "I"
        self.count = "Q" if self.big else "H"

    def read(self, form: str, at: int) -> int:
        return int(struct.unpack_from(f"{self.order}{form}", self.content, at)[0])

    def first(self) -> int:
        return self.read(self.offset, 8 if self.big else 4)

    def entries(self, folder: int) -> Iterator[tuple[int, int, int, int]]:
        """Of each field of a folder: tag, type, count, and where its value begins."""
        each, value, head = (20, 12, 8) if self.big else (12, 8, 2)
        number_of_fields = self.read(self.count, folder)
        if number_of_fields > _MOST_FIELDS:
            raise ValueError(f"{number_of_fields} fields")
        for number in range(number_of_fields):
            at = folder + head + number * each
            tag, kind, count = self.read("H", at), self.read("H", at + 2), self.read(self.offset, at + 4)
            fits = _TIFF_SIZES.get(kind, 1) * count <= (8 if self.big else 4)
            yield tag, kind, count, at + value if fits else self.read(self.offset, at + value)

    def after(self, folder: int) -> int:
        """Where the word stands that leads from a folder to the next."""
        each, head = (20, 8) if self.big else (12, 2)
        return folder + head + self.read(self.count, folder) * each

    def numbers(self, kind: int, count: int, at: int) -> list[int]:
        form = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(kind)
        return list(struct.unpack_from(f"{self.order}{count}{form}", self.content, at)) if form else []


def walked(content: bytes, *, of_picture: bool) -> Walked:
    """All folders of a TIFF structure; `of_picture`: it is a file, of which more folders are more pictures.

    Raises struct.error or ValueError where it is not laid out as one.
    """
    layout, found = _Layout(content), Walked()
    seen, left = set[int](), [(layout.first(), "")]
    while left:
        folder, within = left.pop()
        if folder in seen:
            continue
        if len(seen) == _MOST_FOLDERS:
            raise ValueError(f"more than {_MOST_FOLDERS} folders")
        seen.add(folder)
        left += _of_folder(layout, folder, within, found, of_picture)
        if following := layout.read(layout.offset, layout.after(folder)):
            found.fields += [] if of_picture else [THUMBNAIL]
            left.append((following, within))
    return found


def _of_folder(layout: _Layout, folder: int, within: str, found: Walked, of_picture: bool) -> list[tuple[int, str]]:
    """Add what one folder says to `found`; the folders that it leads to."""
    below: list[tuple[int, str]] = []
    numbers: dict[int, list[int]] = {}
    for tag, kind, count, at in layout.entries(folder):
        found.end = max(found.end, at + _TIFF_SIZES.get(kind, 1) * count)
        if any(tag in pair for pair in _STARTS_AND_SIZES):
            numbers[tag] = layout.numbers(kind, count, at)
        if tag in _EXIF_FOLDERS and (_EXIF_FOLDERS[tag] != "Interop" or within):
            below.append((layout.numbers(kind, 1, at)[0], _EXIF_FOLDERS[tag]))
        elif tag == _MORE_FOLDERS and of_picture:
            below += [(one, within) for one in layout.numbers(kind, count, at)]
        elif not _is_harmless(tag, within, layout.content[at : at + count]):
            found.fields.append(_name(tag, within))
    for starts, sizes in _STARTS_AND_SIZES:
        ends = map(sum, zip(numbers.get(starts, ()), numbers.get(sizes, ()), strict=False))
        found.end = max([found.end, *ends])
    found.end = max(found.end, layout.after(folder) + (8 if layout.big else 4))
    return below


def _is_harmless(tag: int, within: str, value: bytes) -> bool:
    if within:
        return tag in _EXIF_HARMLESS
    return tag in _TIFF_HARMLESS or (tag in _SAID_BY_PROGRAMS and _SAID_BY_PROGRAMS[tag](value.rstrip(b"\0 ")))


def _is_shape(value: bytes) -> bool:
    """Whether a description is tifffile's, which says only the shape of the array."""
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and set(said) == {"shape"} and all(type(one) is int for one in said["shape"])


_SAID_BY_PROGRAMS: Mapping[int, Callable[[bytes], bool]] = {
    270: _is_shape,
    305: lambda value: value == b"tifffile.py",
}


def _name(tag: int, within: str) -> str:
    if tag == ExifTags.Base.GPSInfo:
        return "GPS position"
    return str(ExifTags.TAGS.get(tag, f"tag {tag}{f' of {within}' if within else ''}"))
