"""Read the rows of an Excel or OpenDocument file as text, through python-calamine (an extra)."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from foldproof.data.tables.delimited import Lines
from foldproof.errors import DataError
from foldproof.storage.limits import TABLE_BYTES, UNPACKED_BYTES, UNPACKED_RATIO

OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")
_INSIDE = frozenset({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})
_AS_CSV = "save it as CSV in UTF-8 and name that in data.labels"


def is_spreadsheet(content: bytes) -> bool:
    """Whether these are the bytes of a file that Excel or LibreOffice wrote."""
    if content.startswith(OLD_EXCEL):
        return True
    if not content.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return not _INSIDE.isdisjoint(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read_spreadsheet(content: bytes, *, name: str) -> Lines:
    """The rows of the first sheet that has any; the others are named. Raises DataError where they cannot be read."""
    try:
        import python_calamine
    except ImportError:
        raise DataError(
            f"{name} is a spreadsheet, which is read by an extra that is not installed",
            next_step=f"`pip install 'foldproof[xlsx]'`; or {_AS_CSV}",
        ) from None
    _refuse_bomb(content, name)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {sheet: _rows(book, sheet) for sheet in book.sheet_names}
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise DataError(f"{name} is no spreadsheet that can be read: {str(error)[:200]}", next_step=_AS_CSV) from error
    filled = [sheet for sheet, rows in sheets.items() if rows]
    if not filled:
        raise DataError(f"{name} is a spreadsheet without a cell that holds anything", next_step=_AS_CSV)
    rows = sheets[filled[0]]
    assumed = [f"sheet '{filled[0]}'" + (f", not {', '.join(filled[1:4])}" if len(filled) > 1 else "")]
    return Lines([cells for _, cells in rows], [number for number, _ in rows], assumed)


def _rows(book: Any, sheet: str) -> list[tuple[int, list[str]]]:
    found = book.get_sheet_by_name(sheet)
    first = found.start[0] if found.start else 0
    cells = ((number, _texts(row)) for number, row in enumerate(found.to_python(skip_empty_area=True), first + 1))
    return [(number, row) for number, row in cells if any(row)]


def _texts(row: Sequence[Any]) -> list[str]:
    return [_text(value) for value in row]


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value.total_seconds())
    return str(value).strip()


def _refuse_bomb(content: bytes, name: str) -> None:
    """A file of a few bytes may not unpack to gigabytes."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > min(TABLE_BYTES, max(UNPACKED_BYTES, UNPACKED_RATIO * len(content))):
            raise DataError(f"{name} would unpack to {unpacked:,} bytes", next_step=_AS_CSV)
