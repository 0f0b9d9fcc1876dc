"""A CSV or parquet file in; its columns, and a text for every cell, out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.errors import DataError
from foldproof.storage import read_file
from foldproof.storage.limits import TABLE_BYTES, TABLE_ROWS


@dataclass(frozen=True)
class Table:
    """`rows` are as long as `columns`; `lines` says where each begins in the file."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


def read_table(file: Path) -> Table:
    """The table in `file`. Raises DataError where it is missing or is none."""
    try:
        if not file.is_file():
            what = "is a folder" if file.is_dir() else "is not there"
            raise DataError(f"data.labels: {file} {what}", next_step="name a CSV or parquet file; or take the line out")
        if file.stat().st_size > TABLE_BYTES:
            raise DataError(f"{file} is larger than 1 GB", next_step="keep the columns that are needed")
        content = read_file(file, most_bytes=TABLE_BYTES)
        read = _parquet if file.suffix.lower() in (".parquet", ".pq") else _csv
        return read(file, content)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}", next_step="mend its permissions") from error


def _csv(file: Path, content: bytes) -> Table:
    if content[:2] == b"PK" or b"\0" in content[:4096]:
        raise DataError(
            f"{file.name} is no text: a spreadsheet cannot be read as it is",
            next_step="save it as CSV in UTF-8 and name that in data.labels",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{file.name} is not UTF-8 text", next_step="save it as CSV in UTF-8") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    rows, lines = [], []
    try:
        columns = _named(file, next(reader, []))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise DataError(
                    f"{file.name}, line {reader.line_num}: {len(cells)} cells, but {len(columns)} columns",
                    next_step="put what holds a separator in quotes",
                )
            rows.append(tuple(cell.strip() for cell in cells))
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{file.name}, line {reader.line_num}: {error}", next_step="save it as CSV anew") from error
    return Table(file.name, columns, tuple(rows), tuple(lines))


def _parquet(file: Path, content: bytes) -> Table:
    import pyarrow as pa

    from foldproof.storage.columns import read_parquet

    try:
        table = read_parquet(content, most_rows=TABLE_ROWS)
    except (pa.ArrowException, OSError, ValueError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f"{file.name} is no parquet file: {said}", next_step="write it anew, or name a CSV") from error
    columns = _named(file, table.column_names)
    cells = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    rows = tuple(zip(*cells, strict=True))
    return Table(file.name, columns, rows, tuple(range(1, len(rows) + 1)))


def _named(file: Path, cells: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise DataError(f"{file.name} has a column '{twice[0]}' twice", next_step="give every column a name of its own")
    return columns


def _text(value: Any) -> str:
    """A number that is whole is spelled as one: a missing value makes a column of numbers a column of floats."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
