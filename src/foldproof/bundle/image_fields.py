"""Name the fields of an image file, besides its pixels, that may tell whose it is. Pure.

Only what is known to tell nothing is let pass: how pixels are stored, orientation, resolution, colours. Everything else
counts, be it a camera's name, a comment, a thumbnail or bytes behind the end of the picture.
"""

import struct
from collections.abc import Callable, Iterator, Mapping

from foldproof.bundle.tiff_fields import THUMBNAIL, walked

_Fields = Iterator[str]
_CANNOT_LOOK = "what is in it, since its format is not known here"

_JPEG_HARMLESS = frozenset(
    (0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, *range(0xC0, 0xC4), *range(0xC5, 0xCC), *range(0xCD, 0xD0))
)
_PNG_HARMLESS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs sPLT acTL fcTL fdAT".split()
)
_WEBP_HARMLESS = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_GIF_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_BEHIND = "bytes behind its end"


def personal_fields(content: bytes) -> tuple[str, ...]:
    """Fields of an image file that may tell whose it is, by name; the file is told by its content, not by its name."""
    fields = next((fields for begins, fields in _FORMATS.items() if content.startswith(begins)), None)
    if fields is None:
        return (_CANNOT_LOOK,)
    try:
        return tuple(dict.fromkeys(fields(content)))
    except (struct.error, IndexError, ValueError, OverflowError):
        return ("what is in it, since it is not laid out as its format says",)


def _jpeg(content: bytes) -> _Fields:
    at = 2
    while at < len(content):
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0xD9:
            if content[at + 2 :].strip(b"\0"):
                yield _BEHIND
            return
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
        else:
            (size,) = struct.unpack_from(">H", content, at + 2)
            yield from _jpeg_segment(marker, content[at + 4 : at + 2 + size])
            at += 2 + size
            if marker == 0xDA:
                at = _after_scan(content, at)


def _after_scan(content: bytes, at: int) -> int:
    """Where the next marker is, behind the bytes of a scan."""
    while True:
        at = content.index(b"\xff", at)
        if content[at + 1] not in (0x00, *range(0xD0, 0xD8)):
            return at
        at += 2


def _jpeg_segment(marker: int, content: bytes) -> _Fields:
    if marker in _JPEG_HARMLESS or marker == 0xDA:
        return
    if marker == 0xE0 and content.startswith(b"JFIF\0"):
        if content[12:14] != b"\0\0" or len(content) != 14:
            yield THUMBNAIL
    elif marker == 0xE1 and content.startswith(b"Exif\0"):
        yield from _exif(content[6:])
    elif marker == 0xE1 and content.startswith(b"http://ns.adobe.com/"):
        yield "XMP"
    elif marker == 0xED:
        yield "IPTC"
    elif marker == 0xFE:
        yield "comment"
    elif not (marker == 0xE2 and content.startswith(b"ICC_PROFILE\0")) and not (
        marker == 0xEE and content.startswith(b"Adobe") and len(content) == 12
    ):
        yield f"segment APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else f"segment {marker:02X}"


def _png(content: bytes) -> _Fields:
    at = 8
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        inside = content[at + 8 : at + 8 + size]
        at += 12 + size
        if kind == b"IEND":
            if at < len(content):
                yield _BEHIND
            return
        if kind == b"eXIf":
            yield from _exif(inside)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            name = inside.partition(b"\0")[0].decode("latin-1")
            yield f"text '{name[:79]}'"
        elif kind not in _PNG_HARMLESS:
            yield "time" if kind == b"tIME" else f"chunk {kind.decode('latin-1')}"


def _gif(content: bytes) -> _Fields:
    at = 13 + _colour_table(content[10])
    while content[at] != 0x3B:
        if content[at] == 0x2C:
            at = _after_blocks(content, at + 11 + _colour_table(content[at + 9]))
            continue
        if content[at] != 0x21:
            raise ValueError("no block")
        kind = content[at + 1]
        if kind == 0xFE:
            yield "comment"
        elif kind == 0xFF and not content.startswith(_GIF_APPLICATIONS, at + 3):
            yield "XMP" if content.startswith(b"XMP Data", at + 3) else "application data"
        elif kind not in (0xF9, 0xFF):
            yield "text"
        at = _after_blocks(content, at + 2)
    if content[at + 1 :].strip(b"\0"):
        yield _BEHIND


def _colour_table(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    while size := content[at]:
        at += 1 + size
    return at + 1


def _riff(content: bytes) -> _Fields:
    if content[8:12] != b"WEBP":
        yield _CANNOT_LOOK
        return
    (size,) = struct.unpack_from("<I", content, 4)
    at, end = 12, 8 + size
    while at < min(end, len(content)):
        kind, length = struct.unpack_from("<4sI", content, at)
        if kind == b"EXIF":
            yield from _exif(content[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        elif kind not in _WEBP_HARMLESS:
            yield "XMP" if kind == b"XMP " else f"chunk {kind.decode('latin-1')}"
        at += 8 + length + length % 2
    if content[end + end % 2 :]:
        yield _BEHIND


def _bmp(content: bytes) -> _Fields:
    size, _, offset, header = struct.unpack_from("<IIII", content, 2)
    if header >= 124 and content[14 + 56 : 14 + 60] == b"KNIL":
        yield "the path of a colour profile"
    if content[6:10] != b"\0\0\0\0":
        yield "reserved bytes"
    if offset > len(content):
        raise ValueError("no pixels")
    if len(content) > max(size, offset) + 3:
        yield _BEHIND


def _tiff(content: bytes) -> _Fields:
    found = walked(content, of_picture=True)
    yield from found.fields
    if content[found.end + 3 :].strip(b"\0"):
        yield _BEHIND


def _exif(content: bytes) -> _Fields:
    if content:
        yield from walked(content, of_picture=False).fields


_FORMATS: Mapping[bytes, Callable[[bytes], _Fields]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"GIF87a": _gif,
    b"GIF89a": _gif,
    b"RIFF": _riff,
    b"BM": _bmp,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"II+\0": _tiff,
    b"MM\0+": _tiff,
}
