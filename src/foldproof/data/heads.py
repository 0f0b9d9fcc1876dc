"""Read the format and size of a picture from the first bytes of its file. Decodes nothing. Pure."""

import re
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from foldproof.storage.limits import PAGES

TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_MOST_MARKERS = 10_000
_WIDTH, _HEIGHT = 256, 257  # tags of a TIFF
_NUMBERS = MappingProxyType({1: "B", 3: "H", 4: "L", 16: "Q"})  # the kinds of number that a TIFF gives an edge in
_MOST_TAGS = 1000
HEAD_BYTES = 160  # of a file, which tell its format
_JPEG2000_FILE, _JPEG2000_STREAM = b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"
_PNM = re.compile(rb"P[1-6](?:\s|#)")
_PNM_NUMBER = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*(\d{1,9})")
_EXTENT, _BOXES = re.compile(rb"ispe"), 1 << 16
_BRANDS = MappingProxyType(
    {
        **dict.fromkeys((b"avif", b"avis"), "AVIF"),
        **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    }
)


class Size(NamedTuple):
    """Pixels, as the head of a file says them."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height


class PnmHead(NamedTuple):
    """`white` is the value of white, and `at` where the pixels begin."""

    size: Size
    white: int
    at: int


def format_of(head: bytes) -> str:
    """The format that the first bytes of a file say, as Pillow calls it, or HEIC or DICOM; empty for no picture."""
    for start, name in _FORMATS.items():
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "BMP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "AVIF" if b"avif" in head[12:64] else "")
    if _PNM.match(head):
        return "PPM"
    return "DICOM" if head[128:132] == b"DICM" else ""


def size_of(content: bytes) -> Size | None:
    """What the head of a file says; None where it is none of the formats below, or is cut off."""
    read = next((read for start, read in _READERS.items() if content.startswith(start)), None)
    if read is None and _PNM.match(content):
        read = _pnm
    if content[4:8] == b"ftyp":
        read = _boxed
    try:
        return None if read is None else read(content)
    except (struct.error, IndexError, KeyError, ValueError):
        return None


def _png(content: bytes) -> Size:
    return Size(*struct.unpack_from(">LL", content, 16))


def _gif(content: bytes) -> Size:
    return Size(*struct.unpack_from("<HH", content, 6))


def _bmp(content: bytes) -> Size:
    if struct.unpack_from("<L", content, 14)[0] == 12:
        return Size(*struct.unpack_from("<HH", content, 18))
    width, height = struct.unpack_from("<ll", content, 18)
    return Size(abs(width), abs(height))


def _webp(content: bytes) -> Size | None:
    match content[8:16]:
        case b"WEBPVP8X":
            return Size(*(1 + int.from_bytes(content[at : at + 3], "little") for at in (24, 27)))
        case b"WEBPVP8L":
            bits = struct.unpack_from("<L", content, 21)[0]
            return Size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        case b"WEBPVP8 ":
            width, height = struct.unpack_from("<HH", content, 26)
            return Size(width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(content: bytes) -> Size | None:
    """The largest of the frames before the first scan."""
    at, largest = 2, None
    for _ in range(_MOST_MARKERS):
        at = content.index(b"\xff", at) if b"\xff" in content[at : at + 4096] else len(content)
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in (_JPEG_SCAN, _JPEG_END):
            break
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            largest = max(filter(None, (largest, Size(width, height))), key=lambda size: size.pixels)
        at += 2 if marker in _JPEG_ALONE or not marker else 2 + struct.unpack_from(">H", content, at + 2)[0]
    return largest


def _tiff(content: bytes) -> Size:
    """Of the first page."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    (at,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", content, 8 if big else 4)
    count, head = (struct.unpack_from(f"{order}{'Q' if big else 'H'}", content, at)[0], 8 if big else 2)
    edges = {}
    for number in range(min(count, _MOST_TAGS)):
        tag = at + head + number * (20 if big else 12)
        code, kind = struct.unpack_from(f"{order}HH", content, tag)
        if code in (_WIDTH, _HEIGHT):
            edges[code] = struct.unpack_from(f"{order}{_NUMBERS[kind]}", content, tag + (12 if big else 8))[0]
    return Size(edges[_WIDTH], edges[_HEIGHT])


def _pnm(content: bytes) -> Size | None:
    numbers = _pnm_numbers(content, 2)
    return Size(*numbers[0]) if numbers else None


def pnm_head(content: bytes) -> PnmHead | None:
    """What a PGM or PPM says; None for what is none."""
    found = _pnm_numbers(content, 3) if content[:2] in (b"P2", b"P3", b"P5", b"P6") else None
    return PnmHead(Size(*found[0][:2]), found[0][2], found[1] + 1) if found else None


def _pnm_numbers(content: bytes, count: int) -> tuple[list[int], int] | None:
    """The first `count` numbers of a PNM header, after its two magic bytes, and the offset where the last one ends."""
    at, numbers = 2, list[int]()
    for _ in range(count):
        match = _PNM_NUMBER.match(content, at)
        if match is None:
            return None
        numbers.append(int(match[1]))
        at = match.end()
    return numbers, at


def _jpeg2000(content: bytes) -> Size:
    at = _siz(content)
    right, bottom, left, top = struct.unpack_from(">LLLL", content, at + 4)
    return Size(right - left, bottom - top)


def jpeg2000_bits(content: bytes) -> int:
    """The most bits that a channel of a JPEG 2000 has; 0 for what is none, or is cut off."""
    if not content.startswith((_JPEG2000_FILE, _JPEG2000_STREAM)):
        return 0
    try:
        at = _siz(content)
        (channels,) = struct.unpack_from(">H", content, at + 36)
        return max((content[at + 38 + 3 * number] & 0x7F) + 1 for number in range(channels))
    except (struct.error, IndexError, ValueError):
        return 0


def _siz(content: bytes) -> int:
    """Where the first marker of a code stream has its length."""
    return content.index(_JPEG2000_STREAM) + 4


def _qoi(content: bytes) -> Size:
    return Size(*struct.unpack_from(">LL", content, 4))


def _boxed(content: bytes) -> Size | None:
    """The largest of the pictures that the head of an AVIF or HEIC speaks of."""
    found = [Size(*struct.unpack_from(">LL", content, at.end() + 4)) for at in _EXTENT.finditer(content, 0, _BOXES)]
    return max(found, key=lambda size: size.pixels, default=None)


def boxed_bits(content: bytes) -> int:
    """The most bits that a channel of an AVIF or HEIC has; 0 for what is none, or does not say."""
    if content[4:8] != b"ftyp":
        return 0
    head, bits = content[:_BOXES], [0]
    for match in re.finditer(rb"pixi....(?P<count>.)", head, re.DOTALL):
        bits += head[match.end() : match.end() + match["count"][0]]
    bits += [(8, 8, 10, 12)[match[1][0] >> 5 & 3] for match in re.finditer(rb"av1C..(.)", head, re.DOTALL)]
    bits += [8 + (match[1][0] & 7) for match in re.finditer(rb"hvcC.{17}(.)", head, re.DOTALL)]
    return max(bits)


def tiff_pages(content: bytes) -> int:
    """How many pages a TIFF has, counted up to PAGES; 0 for what is none."""
    if content[:4] not in TIFF_BEGINNINGS:
        return 0
    order, big = "<" if content[:2] == b"II" else ">", content[2:4] in (b"+\0", b"\0+")
    seen: dict[int, None] = {}
    try:
        (at,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", content, 8 if big else 4)
        while at and at not in seen and len(seen) < PAGES:
            (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", content, at)
            seen[at] = None
            behind = at + (8 + 20 * count if big else 2 + 12 * count)
            (at,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", content, behind)
    except struct.error:
        return len(seen)
    return len(seen)


_FORMATS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x89PNG\r\n\x1a\n": "PNG",
        b"\xff\xd8\xff": "JPEG",
        b"GIF8": "GIF",
        _JPEG2000_FILE: "JPEG2000",
        _JPEG2000_STREAM: "JPEG2000",
        **dict.fromkeys(TIFF_BEGINNINGS, "TIFF"),
    }
)
_READERS: Mapping[bytes, Callable[[bytes], Size | None]] = MappingProxyType(
    {
        b"\x89PNG\r\n\x1a\n": _png,
        b"\xff\xd8": _jpeg,
        _JPEG2000_FILE: _jpeg2000,
        _JPEG2000_STREAM: _jpeg2000,
        b"GIF8": _gif,
        b"qoif": _qoi,
        b"RIFF": _webp,
        b"BM": _bmp,
        **dict.fromkeys(TIFF_BEGINNINGS, _tiff),
    }
)
