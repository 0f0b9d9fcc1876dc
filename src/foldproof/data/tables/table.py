"""Read a CSV, parquet or spreadsheet file as columns of text, with what was assumed. Start here."""

import csv
from pathlib import Path
from typing import Any

from foldproof.data.tables.delimited import IsImage, read_lines
from foldproof.data.tables.encoding import text_of
from foldproof.data.tables.header import LabelTable, headed, one_line, refuse_twice
from foldproof.data.tables.spreadsheet import is_spreadsheet, read_spreadsheet
from foldproof.data.tables.usual import has_image_suffix
from foldproof.errors import DataError
from foldproof.storage import read_file
from foldproof.storage.limits import TABLE_BYTES, TABLE_ROWS
from foldproof.storage.nowhere import likely_name, why_no_path

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_PARQUET = (".parquet", ".pq")


def read_table(file: Path, *, is_image: IsImage = has_image_suffix, setting: str = "data.labels") -> LabelTable:
    """The table in `file`, which `setting` names; `is_image` says whether a cell names an image, which tells rows from
    a header.

    Raises DataError where it is missing or is none.
    """
    try:
        if not file.is_file():
            raise _no_file(file, setting)
        if file.stat().st_size > TABLE_BYTES:
            raise DataError(f"{file} is larger than 1 GB", next_step="keep the columns that are needed")
        content = read_file(file, most_bytes=TABLE_BYTES)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}", next_step="fix its permissions") from error
    return table_of(content, name=file.name, is_image=is_image)


def _no_file(file: Path, setting: str) -> DataError:
    name_one = "name a CSV or parquet file; or take the line out"
    if file.is_dir():
        return DataError(f"{setting}: {file} is a folder", next_step=name_one)
    if wrong := why_no_path(file):
        return DataError(f"{setting}: {file} is not there: {wrong[0]}", next_step=wrong[1])
    hint = likely_name(file)
    return DataError(f"{setting}: {file} is not there{'; ' + hint if hint else ''}", next_step=name_one)


def table_of(content: bytes, *, name: str, is_image: IsImage = has_image_suffix) -> LabelTable:
    """The table that these bytes are. Raises DataError where they are none."""
    if name.lower().endswith(_PARQUET):
        return _parquet(content, name)
    if is_spreadsheet(content):
        return headed(read_spreadsheet(content, name=name), is_image, name=name)
    if content.startswith(b"PK"):
        raise DataError(
            f"{name} is no text: an archive, or a spreadsheet that is damaged",
            next_step="save it as CSV in UTF-8 and name that in data.labels",
        )
    text, encoding = text_of(content, name=name)
    try:
        lines = read_lines(text, is_image)
    except csv.Error as error:
        raise DataError(f"{name}, line {error}", next_step="save it as CSV again") from error
    if encoding:
        lines.assumed.insert(0, encoding)
    return headed(lines, is_image, name=name)


def _parquet(content: bytes, name: str) -> LabelTable:
    import pyarrow as pa

    from foldproof.storage.columns import read_parquet

    try:
        table = read_parquet(content, most_rows=TABLE_ROWS)
    except (pa.ArrowException, OSError, ValueError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f"{name} is no parquet file: {said}", next_step="write it again, or name a CSV") from error
    columns = tuple(one_line(column.strip()) for column in table.column_names)
    refuse_twice(columns, name)
    cells = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    rows = tuple(zip(*cells, strict=True))
    return LabelTable(name, columns, rows, tuple(range(1, len(rows) + 1)))


def _text(value: Any) -> str:
    """A number that is whole is spelled as one: a missing value makes a column of numbers a column of floats."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
