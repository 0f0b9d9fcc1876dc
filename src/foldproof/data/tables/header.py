"""Find the header of a table, and fit all rows to its width. Pure.

The first row is a header unless it looks as the rows below it do: it names an image, repeats a value of its column, or
holds a number where the column holds only numbers. A usual name of a column settles it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from foldproof.data.tables.delimited import IsImage, Lines, trimmed, width_of
from foldproof.data.tables.usual import is_usual
from foldproof.errors import DataError

_COMPARED = 200  # rows
_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")


@dataclass(frozen=True)
class LabelTable:
    """`rows` are as long as `columns`; `lines` says where each begins in the file.

    `assumed`: how it was read where that is not a matter of course, in a few words each. `has_header`: whether columns
    have names of their own; else they are `column 1` and so on.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    assumed: tuple[str, ...] = ()
    has_header: bool = True


def headed(found: Lines, is_image: IsImage, *, name: str) -> LabelTable:
    """Raises DataError with the line of a row that is too long or too short, and where a column comes twice."""
    rows, numbers, assumed = list(found.cells), list(found.numbers), list(found.assumed)
    if not rows:
        return LabelTable(name, (), (), (), tuple(assumed))
    has_header = _is_header(rows[0], rows[1:_COMPARED], is_image)
    if has_header:
        columns = rows.pop(0)[: max(trimmed(found.cells[0]), 1)]
        numbers.pop(0)
        if rows and all(trimmed(cells) == len(columns) + 1 for cells in rows):
            columns = ["", *columns]
            assumed.append("its first column has no name")
    elif trimmed(found.comment) == width_of(rows) and any(map(is_usual, found.comment)):
        columns = found.comment[: width_of(rows)]
        assumed.append("its columns are named in a comment")
        has_header = True
    else:
        columns = [f"column {number}" for number in range(1, max(map(trimmed, rows)) + 1)]
        assumed.append(f"no line of names: its columns are {_some(columns)}")
    columns, written = list(map(one_line, columns)), columns
    refuse_twice(columns, name)
    again = [number for number, cells in enumerate(rows) if has_header and cells[: len(columns)] == written]
    if again:
        assumed.append(f"{len(again):,} more line{'s' if len(again) > 1 else ''} of names left out")
        rows = [cells for cells in rows if cells[: len(columns)] != written]
        numbers = [number for place, number in enumerate(numbers) if place not in set(again)]
    for cells, number in zip(rows, numbers, strict=True):
        if not trimmed(cells) <= len(columns) <= len(cells):
            raise _misfit(cells, columns, rows, f"{name}, line {number}")
    if longer := sum(len(cells) > len(columns) for cells in rows):
        assumed.append(f"an empty cell at the end of {longer:,} line{'s' if longer > 1 else ''} left out")
    cut = tuple(tuple(cells[: len(columns)]) for cells in rows)
    return LabelTable(name, tuple(columns), cut, tuple(numbers), tuple(assumed), has_header=has_header)


def _is_header(first: Sequence[str], below: Sequence[Sequence[str]], is_image: IsImage) -> bool:
    if any(is_image(cell) and not is_usual(cell) for cell in first):
        return False
    if any(map(is_usual, first)) or not below:
        return True
    columns = [
        (cell, [cells[place] for cells in below if place < len(cells)]) for place, cell in enumerate(first) if cell
    ]
    if any(cell in beneath for cell, beneath in columns):
        return False
    numeric = [cell for cell, beneath in columns if all(_NUMBER.fullmatch(value) for value in beneath if value)]
    return not numeric or not all(_NUMBER.fullmatch(cell) for cell in numeric)


def _misfit(cells: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[str]], where: str) -> DataError:
    said = f"{where}: {len(cells)} cells, but {len(columns)} columns"
    if 2 * sum(not trimmed(other) <= len(columns) <= len(other) for other in rows) > len(rows) > 1:
        return DataError(said, next_step="say what parts the cells: write sep=; (or what it is) as the first line")
    return DataError(said, next_step="put what holds a separator in quotes")


def one_line(column: str) -> str:
    """The name of a column whose cell holds line breaks, as a spreadsheet's may."""
    return re.sub(r"\s*[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+\s*", " ", column)


def refuse_twice(columns: Sequence[str], name: str) -> None:
    """Raises DataError where two columns have one name."""
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise DataError(f"{name} has a column '{twice[0]}' twice", next_step="give every column a name of its own")


def _some(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:3]) + (", …" if len(names) > 3 else "")
