"""Split delimited text into rows of cells, and detect its dialect. Pure.

A form is what parts the cells: the one by which most rows have the same number of them, names of images and usual names
of columns among them. Lines that are no rows of the table (`sep=;`, comments, a title) are left out, and said.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from foldproof.data.tables.usual import is_usual

IsImage = Callable[[str], bool]
_BLANKS, _BLANK, _FIRST = "runs of blanks", " ", "the first blank"
_NAMES = {
    ",": "a comma",
    ";": "a semicolon",
    "\t": "a tab",
    "|": "a bar |",
    _BLANK: "a blank",
    _BLANKS: _BLANKS,
    _FIRST: _FIRST,
}
_USUAL = (",", ";", "\t")  # of which nothing needs to be said
_SAMPLED = 200  # rows
_MOST_TITLES = 20  # lines before a table
_MOST_LINE = 200_000
_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")


@dataclass(frozen=True)
class Lines:
    """`cells` of each row, whatever their number, and its line in the file. `comment`: the last one before them."""

    cells: list[list[str]]
    numbers: list[int]
    assumed: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)


def read_lines(text: str, is_image: IsImage) -> Lines:
    """The rows of a text. Raises csv.Error with the line before its message where quotes do not close."""
    skipped, assumed, given = 0, [], ""
    if match := re.match(r"sep=(.)\r?\n", text, re.IGNORECASE):
        given, skipped, text = match[1], 1, text[match.end() :]
        assumed.append(f"{_NAMES.get(given, repr(given))} between cells, as its line 'sep={given}' says")
    comments: list[str] = []
    while match := re.match(r"[ \t]*(#[^\r\n]*)?(\r\n|\n|\r)", text):
        comments += [match[1]] if match[1] else []
        skipped, text = skipped + 1, text[match.end() :]
    form = given or _form(text, is_image)
    if not given and form not in _USUAL:
        assumed.append(f"{_NAMES[form]} between cells")
    found = list(_cells(text, form, strict=True))
    rows = [(cells, skipped + number) for cells, number in found if any(cells)]
    width = width_of([cells for cells, _ in rows[:_SAMPLED]])
    rows, left, titles = _without_titles(rows, width, is_image)
    rows, within = _without_comments(rows, width, is_image)
    if lines := len(comments) + within:
        assumed.append(f"{_count(lines, 'line')} of comments left out")
    if left:
        assumed.append(f"{_count(left, 'line')} above the table left out: '{titles[:60]}'")
    comment = (
        next((cells for cells, _ in _cells(comments[-1].lstrip("# \t"), form, strict=False)), []) if comments else []
    )
    return Lines([cells for cells, _ in rows], [number for _, number in rows], assumed, comment)


def _form(text: str, is_image: IsImage) -> str:
    """What parts the cells; a comma where there is only one column."""
    scored = [(score, form) for form in (",", ";", "\t", "|") if (score := _score(text, form, is_image))[0] > 0.5]
    if not scored and _begin_with_images(text, is_image):
        return _FIRST
    if not scored:
        blanks = [(score, form) for form in (_BLANKS, _BLANK) if (score := _score(text, form, is_image))[0] > 0.9]
        if not blanks:
            first = text.split("\n", 1)[0]
            return max(",;\t|", key=first.count)
        scored = blanks
    return max(scored, key=lambda pair: pair[0])[1]


def _begin_with_images(text: str, is_image: IsImage) -> bool:
    """Whether each line is an image and words whose number differs: `0034309 Boeing 717`, `1025794 DC-3`."""
    words = [line.split() for line in text.splitlines() if line.strip()]
    widths = Counter(map(len, words))
    if min(widths, default=0) < 2 or len(widths) < 2 or widths[2] < sum(widths.values()) / 10:
        return False
    return all(is_image(line[0]) for line in words[:_SAMPLED])


def _score(text: str, form: str, is_image: IsImage) -> tuple[float, bool, int, int]:
    """How well a form fits: the share of rows of one width, whether images are named, known names, and that width."""
    rows: list[list[str]] = []
    try:
        rows += islice((cells for cells, _ in _cells(text, form, strict=False) if any(cells)), _SAMPLED)
    except csv.Error:
        return 0.0, False, 0, 0
    width = width_of(rows)
    if width < 2:
        return 0.0, False, 0, 0
    start = next((number for number, cells in enumerate(rows) if trimmed(cells) == width), 0)
    start = start if start <= _MOST_TITLES else 0
    usual = max(sum(map(is_usual, cells)) for cells in rows[: start + 2])
    rows = rows[start:]
    fitting = [cells for cells in rows if trimmed(cells) <= width <= len(cells)]
    named = max(sum(is_image(cells[place]) for cells in fitting) for place in range(width)) if fitting else 0
    return len(fitting) / len(rows), named > len(rows) / 2, usual, width


def _cells(text: str, form: str, *, strict: bool) -> Iterator[tuple[list[str], int]]:
    """The cells of each row and the line on which it ends."""
    if form == _BLANKS:
        text = re.sub(r"[ \t]{2,}|\t", "\t", re.sub(r"[ \t]+(?=[\r\n]|$)|(?<![^\r\n])[ \t]+", "", text))
    elif form == _FIRST:
        text = re.sub(r"(?m)^[ \t]*(\S+)[ \t]+(.*?)[ \t]*$", r"\1\t\2", text)
    elif form == _BLANK:
        text = re.sub(r"[ \t]+(?=[\r\n]|$)|(?<![^\r\n])[ \t]+", "", text)
    delimiter = "\t" if form in (_BLANKS, _FIRST) else form
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict)
    try:
        for cells in reader:
            yield [cell.strip() for cell in cells], reader.line_num
    except csv.Error as error:
        raise csv.Error(f"{reader.line_num}: {error}") from None


def width_of(rows: Sequence[Sequence[str]]) -> int:
    """The most usual number of cells, without empty ones at the end; of two the larger."""
    counts = Counter(map(trimmed, rows))
    return max(counts, key=lambda width: (counts[width], width), default=0)


def trimmed(cells: Sequence[str]) -> int:
    """The number of cells without empty ones at the end."""
    return max((number for number, cell in enumerate(cells, 1) if cell), default=0)


def _without_titles(
    rows: list[tuple[list[str], int]], width: int, is_image: IsImage
) -> tuple[list[tuple[list[str], int]], int, str]:
    """A title has one cell, where the table has several, and names no image; or stands above what is a header."""
    if width < 2:
        return rows, 0, ""
    start = 0
    while start < min(len(rows) - 1, _MOST_TITLES) and _is_title(rows[start][0], width, is_image):
        start += 1
    if not (start < len(rows) and trimmed(rows[start][0]) > 1):
        start = 0
    start = max(start, _header_at([cells for cells, _ in rows], is_image))
    return rows[start:], start, " ".join(filter(None, rows[0][0]))


def _header_at(rows: Sequence[Sequence[str]], is_image: IsImage) -> int:
    """The row of names of columns, where several rows stand before the first that names an image; else 0.

    It has the most usual names; without any it is the last of them, unless the rows below repeat what is in it.
    """
    images = (
        number
        for number, cells in enumerate(rows[: _MOST_TITLES + 2])
        if any(is_image(cell) and not is_usual(cell) for cell in cells)
    )
    above = next(images, 0)
    if above < 2:
        return 0
    usual = [sum(map(is_usual, cells)) for cells in rows[:above]]
    if max(usual):
        return usual.index(max(usual))
    last, below = rows[above - 1], rows[above : above + _SAMPLED]
    repeated = any(cell and cell in {cells[at] for cells in below if at < len(cells)} for at, cell in enumerate(last))
    return 0 if repeated or any(map(_NUMBER.fullmatch, last)) else above - 1


def _is_title(cells: Sequence[str], width: int, is_image: IsImage) -> bool:
    """One cell, which is no name of an image and no header whose names something else parts."""
    text = cells[0]
    return (
        trimmed(cells) == 1
        and not is_image(text)
        and not (any(mark in text for mark in ";\t|") or text.count(",") == width - 1)
    )


def _without_comments(
    rows: list[tuple[list[str], int]], width: int, is_image: IsImage
) -> tuple[list[tuple[list[str], int]], int]:
    kept = [
        (cells, number)
        for cells, number in rows
        if not (cells[0].startswith("#") and trimmed(cells) != width and not is_image(cells[0]))
    ]
    return kept, len(rows) - len(kept)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"
