"""Find images whose depth differs from most, by their headers. Decodes nothing."""

import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

from foldproof.data.heads import format_of, jpeg2000_bits, pnm_head
from foldproof.data.readers import WHITE_BY_FORMAT, is_our_own, suffix_of

BYTES = "8 bits a channel"
WHOLE = "whole numbers of more than 8 bits"
FRACTIONS = "floating-point numbers"
THREADS = 8  # more than cores: a folder may lie on a network drive
_HEAD = 4096
_BITS, _KIND = 258, 339  # tags of a TIFF
_SHORT = 3
_SIGNED, _FLOAT = 2, 3
_MOST_TAGS = 1000
_ALWAYS_BYTES = frozenset({"JPEG", "GIF", "WEBP", "BMP", "AVIF", "HEIC"})


class Depth(NamedTuple):
    """Of the numbers in a picture's file. `says_white`: its format says which of them is white."""

    kind: str
    says_white: bool = False


def odd_among(depths: Mapping[str, Depth]) -> Mapping[str, str]:
    """Those that no range of values fits as it does the others, which are more; each with the reason. Pure."""
    counted = Counter(depth.kind for depth in depths.values())
    if len(counted) < 2:
        return {}
    commonest = max(counted, key=lambda kind: (counted[kind], kind))
    return {
        path: f"{kind}, as {counted[kind]:,} are; {counted[commonest]:,} are {commonest}"
        for path, (kind, says_white) in sorted(depths.items())
        if kind != commonest and not (commonest == BYTES and says_white)
    }


def odd_by_heads(folder: Path, paths: Sequence[str]) -> Mapping[str, str]:
    """As `odd_among`, of images that were not decoded; none where the heads of half of them do not tell."""
    with ThreadPoolExecutor(THREADS) as pool:
        found = dict(zip(paths, pool.map(lambda path: depth_of(folder / path), paths), strict=True))
    told = {path: depth for path, depth in found.items() if depth is not None}
    most = max(Counter(depth.kind for depth in told.values()).values(), default=0)
    return odd_among(told) if 2 * most > len(paths) else {}


def depth_of(path: Path) -> Depth | None:
    """What the head of a picture's file says; None where it says nothing, or another's reader takes the file."""
    if not is_our_own(suffix_of(path.name)):
        return None
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            format_ = format_of(head)
            if format_ in _ALWAYS_BYTES:
                return Depth(BYTES)
            read = _READERS.get(format_)
            kind = read(file, head) if read else None
    except (OSError, struct.error, IndexError, ValueError, OverflowError):
        return None
    return Depth(kind, format_ in WHITE_BY_FORMAT and kind == WHOLE) if kind else None


def _of_png(_: BinaryIO, head: bytes) -> str:
    return WHOLE if head[24] > 8 else BYTES


def _of_pnm(_: BinaryIO, head: bytes) -> str:
    found = pnm_head(head)
    return WHOLE if found is not None and found.white > 255 else BYTES


def _of_jpeg2000(_: BinaryIO, head: bytes) -> str | None:
    bits = jpeg2000_bits(head)
    return None if not bits else WHOLE if bits > 8 else BYTES


def _of_tiff(file: BinaryIO, head: bytes) -> str | None:
    """By the first page."""
    order, big = "<" if head[:2] == b"II" else ">", head[2:4] in (b"+\0", b"\0+")
    (at,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", head, 8 if big else 4)
    file.seek(at)
    (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", file.read(8 if big else 2))
    size, place, word = (20, 12, "Q") if big else (12, 8, "L")
    entries = file.read(size * min(count, _MOST_TAGS))
    found = {_BITS: 1, _KIND: 1}
    for start in range(0, len(entries) - size + 1, size):
        tag, number = struct.unpack_from(f"{order}HH", entries, start)
        if tag in found and number == _SHORT:
            (values,) = struct.unpack_from(f"{order}{word}", entries, start + 4)
            where = entries[start + place : start + size]
            if 2 * values > len(where):
                file.seek(struct.unpack(f"{order}{word}", where)[0])
                where = file.read(2)
            (found[tag],) = struct.unpack_from(f"{order}H", where)
    if found[_KIND] == _FLOAT:
        return FRACTIONS
    return WHOLE if found[_BITS] > 8 or found[_KIND] == _SIGNED else BYTES


_READERS: Mapping[str, Callable[[BinaryIO, bytes], str | None]] = MappingProxyType(
    {"PNG": _of_png, "PPM": _of_pnm, "JPEG2000": _of_jpeg2000, "TIFF": _of_tiff}
)
