"""Read the settings of git and DVC as text: sections, keys and values, with their lines. Pure; follows no include."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_SECTION = re.compile(r"""\s*\[\s*(?P<quote>'?)\s*(?P<name>[^\s"'\]]+)(\s+"(?P<below>(?:[^"\\]|\\.)*)")?\s*'?\s*\]""")
_KEY = re.compile(r"\s*(?P<key>[^=\s#;][^=]*?)\s*(=\s*(?P<value>.*))?$", re.DOTALL)


class Setting(NamedTuple):
    """`key`: section, what is quoted and name, with points between them; all but the quoted part is lower-case."""

    key: str
    value: str
    line: int


def settings_of(text: str) -> Iterator[Setting]:
    """Every setting in the order of the text. What is no setting is passed over."""
    section = ""
    for number, line in _lines(text):
        if match := _SECTION.match(line):
            below = re.sub(r"\\(.)", r"\1", match["below"] or "")
            section = match["name"].lower() + (f".{below}" if match["below"] is not None else "")
            line = line[match.end() :]
        if (match := _KEY.fullmatch(line)) and section:
            yield Setting(f"{section}.{match['key'].lower()}", (match["value"] or "").strip(), number)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends with a backslash goes on in the next."""
    begun, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\") and not line.endswith("\\\\"):
            begun += line[:-1]
            continue
        yield start, begun + line
        begun, start = "", 0
    if begun:
        yield start, begun
