"""Find likely secrets in code and in its uncommitted changes, line by line.

In code a name and `=` tell little, since most values come from elsewhere: what counts is a literal that no person would
read as a word, a token of a known service, a private key, or what a secret environment variable holds.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import PurePosixPath

from foldproof.storage.secret_forms import HEADERS, KNOWN, URIS
from foldproof.storage.secret_names import Named, is_said, looks_secret, named_secrets
from foldproof.storage.secret_values import SHORTEST, spelled

HIDDEN = "***"
_SHORTEST_DRAWN, _OF_EACH_KIND = 16, 3  # characters
_SETTINGS = frozenset(
    ("", ".env", ".yaml", ".yml", ".ini", ".cfg", ".conf", ".properties", ".sh", ".bash", ".zsh", ".toml", ".txt")
)
_WORDS = re.compile(r"[A-Za-z]+|(?:[A-Za-z]+\d{0,2})(?:[_\-./ :,]+[A-Za-z]*\d{0,2})+|\d+")
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, order=True)
class Find:
    """A line of a file that looks like it holds a secret, and what it looks like; never the secret."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def secrets_in_code(text: str, *, file: str = "") -> Iterator[tuple[int, int, str]]:
    """Where secrets seem to stand in `text`, code or settings as the name of their file says, and what each is."""
    folded = text.lower()
    yield from _known(text, folded)
    for form in HEADERS:
        for start, end in form.spans(text, folded):
            if any(map(looks_secret, text[start:end].split())):
                yield start, end, form.title
    for named in named_secrets(text):
        if _is_literal(named, text, _bare_is_literal(file)):
            yield named.start, named.end, f"a value of {named.name[:60]}"


def secrets_in_text(text: str) -> Iterator[tuple[int, int, str]]:
    """Tokens of known services, keys, and what secret environment variables hold, in a text of whatever kind."""
    yield from _known(text, text.lower())


def find_in_diff(diff: bytes) -> tuple[Find, ...]:
    """The lines that a diff shows, be they added, removed or around, and that look like they hold a secret."""
    places, spans = _spans(diff)
    found = {(*places.of(start), what) for start, _, what in spans}
    return tuple(sorted(Find(file, line, what) for file, line, what in found))


def mask_secrets(diff: bytes) -> bytes:
    """The diff with `***` for what looks like a secret. It is for reading: it cannot be applied any more."""
    text, pieces, after = diff.decode(errors="surrogateescape"), [], 0
    for start, end, _ in sorted(_spans(diff)[1]):
        if end > after:
            pieces += [text[after : max(start, after)], HIDDEN]
            after = end
    return "".join([*pieces, text[after:]]).encode(errors="surrogateescape")


def _spans(diff: bytes) -> tuple["_Places", list[tuple[int, int, str]]]:
    text = diff.decode(errors="surrogateescape")
    places = _Places(text)
    found = []
    for file, begin, end in places.files():
        part = text[begin:end]
        if "\nGIT binary patch\n" in part:
            continue
        spans = ((begin + start, begin + stop, what) for start, stop, what in secrets_in_code(part, file=file))
        found += [span for span in spans if places.of(span[0])[1]]
    return places, found


class _Places:
    """Which line of which file an offset in a diff is of."""

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in lines)]
        self._lines = list(_numbered(lines))

    def of(self, offset: int) -> tuple[str, int]:
        """The file and the number of the line; 0 where it is no line of a text, as in the patch of a binary file."""
        return self._lines[bisect_right(self._starts, offset) - 1]

    def files(self) -> Iterator[tuple[str, int, int]]:
        """Each file with where its part of the diff begins and ends."""
        begin = 0
        for number, (file, _) in enumerate(self._lines):
            if number + 1 == len(self._lines) or self._lines[number + 1][0] != file:
                yield file, begin, self._starts[number + 1] - 1
                begin = self._starts[number + 1]


def _numbered(lines: list[str]) -> Iterator[tuple[str, int]]:
    file, old, new, inside = "", 0, 0, False
    for line in lines:
        if line.startswith("diff --git "):
            file, inside = line.rpartition(" b/")[2].rstrip('"'), False
        elif (hunk := _HUNK.match(line)) is not None:
            old, new, inside = int(hunk[1]), int(hunk[2]), True
        elif inside and line[:1] in ("+", "-", " "):
            yield file, old if line[0] == "-" else new
            old, new = old + (line[0] != "+"), new + (line[0] != "-")
            continue
        yield file, 0


def _known(text: str, folded: str) -> Iterator[tuple[int, int, str]]:
    for form in (*KNOWN, *URIS):
        for start, end in form.spans(text, folded):
            if is_said(text[start:end]):
                yield start, end, form.title
    for secret in spelled(os.environ):
        for found in re.finditer(re.escape(secret), text) if secret in text else ():
            yield *found.span(), "the value of an environment variable"


def _bare_is_literal(file: str) -> bool:
    """Whether what stands without quotes in this file is a text, as in settings, and no expression of code."""
    path = PurePosixPath(file)
    return path.suffix.lower() in _SETTINGS or path.name.startswith(".env")


def _is_literal(named: Named, text: str, bare_is_literal: bool) -> bool:
    value = text[named.start : named.end]
    if len(value) < SHORTEST or "{" in value or "://" in value:
        return False
    if not (named.is_quoted or bare_is_literal):
        return _is_drawn(value)
    if not named.is_sure:
        return looks_secret(value) and not _WORDS.fullmatch(value)
    if any(sign.isspace() for sign in value) or not is_said(value) or _WORDS.fullmatch(value.strip("./~:-_")):
        return bool(re.fullmatch(r"[A-Za-z]+\d{1,2}", value))
    return any(map(str.isalpha, value)) and not value.isalpha()


def _is_drawn(value: str) -> bool:
    """Whether text without quotes, as in a comment or within a longer string, is no name that anybody would choose."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return len(value) >= _SHORTEST_DRAWN and all(sum(map(kind, value)) >= _OF_EACH_KIND for kind in kinds)
