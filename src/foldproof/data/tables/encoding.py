"""Decode the bytes of a text file, and say which encoding was assumed. Pure."""

import codecs
import re

from foldproof.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # begins as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WESTERN = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿŠšŽžŒœŸ°µ€–—’‘“”„²½§©®·«»×\u00a0")
_OTHER = re.compile(rb"[\x80-\xff]{3}|[\xc2-\xdf][\x80-\xbf]")  # letters of other scripts; UTF-8 beside Latin-1
_SAMPLED = 4096
_UTF8 = "save it as UTF-8 and name that"


def text_of(content: bytes, *, name: str) -> tuple[str, str]:
    """The text, and what was assumed: nothing for UTF-8. Raises DataError where it is none of a known encoding."""
    for mark, codec, said in _MARKS:
        if content.startswith(mark):
            return _decoded(content, codec, name), "" if said == "UTF-8" else f"read as {said}, as its first bytes say"
    if b"\0" in content[:_SAMPLED]:
        return _without_mark(content, name)
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        return _western(content, name)


def _decoded(content: bytes, codec: str, name: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        raise DataError(f"{name} is not the {codec} text that its first bytes say", next_step=_UTF8) from None


def _without_mark(content: bytes, name: str) -> tuple[str, str]:
    """Of UTF-16 without its mark, every other byte of plain letters is zero."""
    head = content[: _SAMPLED - _SAMPLED % 2]
    for codec, zeros, letters in (("utf-16-le", head[1::2], head[0::2]), ("utf-16-be", head[0::2], head[1::2])):
        if len(content) % 2 == 0 and zeros.count(0) > 0.9 * len(zeros) and 0 not in letters:
            return _decoded(content, codec, name), "read as UTF-16, as its zero bytes say"
    raise DataError(f"{name} is no text: it holds zero bytes", next_step=f"where it is a table, {_UTF8}")


def _western(content: bytes, name: str) -> tuple[str, str]:
    """Windows-1252, which holds Latin-1, where all that is not ASCII are letters of Western Europe, a few at a time."""
    text = content.decode("cp1252", errors="replace")
    beyond = {character for character in text if character > "\x7f"}
    if not beyond <= _WESTERN or _OTHER.search(content):
        raise DataError(
            f"{name} is not UTF-8 text, and does not read as Latin-1 either", next_step="save it as CSV in UTF-8"
        )
    word = next(re.finditer(r"\w*[^\x00-\x7f]\w*", text))[0]
    return text, f"not UTF-8, so read as Latin-1 (Windows-1252): '{word}'; to be sure, save it as UTF-8"
