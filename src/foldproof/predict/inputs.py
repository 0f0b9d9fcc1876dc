"""Find the images that are meant by what was typed: files, folders, tables of paths, and paths on standard input."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.table import SUFFIXES as TABLES
from foldproof.data.tables.table import read_table
from foldproof.data.tables.usual import has_image_suffix, usual_column
from foldproof.data.unread import why_unread
from foldproof.data.walk import FolderEntry, Kind, some, walk
from foldproof.errors import DataError
from foldproof.predict.images import ImageFile
from foldproof.predict.rows import Unlabelled
from foldproof.storage import cleaned
from foldproof.storage.nowhere import likely_name

STDIN = "-"
Lines = Callable[[], Iterable[bytes]]


@dataclass
class Inputs:
    """`images` in the order in which they were given; `unlabelled`: pictures that cannot be read, as is known before
    one is opened; `notes`: what was left out on purpose.
    """

    images: list[ImageFile] = field(default_factory=list)
    unlabelled: list[Unlabelled] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, path: str, file: str) -> None:
        """An image, unless its name cannot be written down."""
        try:
            path.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(path).decode(errors="backslashreplace")
            self.unlabelled.append(Unlabelled(shown, "its name is not UTF-8"))
        else:
            self.images.append(ImageFile(path, file))


def find_inputs(typed: Sequence[str], *, stdin: Lines = lambda: sys.stdin.buffer) -> Inputs:
    """All images that `typed` names: an image, a folder of them with all folders below it, a table with a column of
    paths, or `-` for paths on standard input, one a line.

    Raises DataError where a path leads nowhere, and where no image is found.
    """
    found = Inputs()
    for one in typed:
        if one == STDIN:
            _add_lines(found, stdin())
        elif (path := Path(one)).is_dir():
            _add_folder(found, one, path)
        elif not os.path.lexists(path):
            hint = likely_name(path)
            raise DataError(
                f"there is no {cleaned(one, most=300)}{'; ' + hint if hint else ''}",
                next_step="name images, a folder of images, a CSV with a column 'path', or - for paths on stdin",
            )
        elif suffix_of(path.name) in TABLES:
            _add_table(found, path)
        else:
            found.add(one, one)
    if not found.images:
        raise _nothing(typed, found)
    return found


def _nothing(typed: Sequence[str], found: Inputs) -> DataError:
    named = some([cleaned(one, most=100) for one in typed])
    if found.unlabelled:
        first = found.unlabelled[0]
        return DataError(f"no image in {named} can be read", next_step=f"{first.path}: {first.reason}")
    return DataError(f"no images in {named}", next_step=f"files that count end in {', '.join(sorted(suffixes()))}")


def _add_lines(found: Inputs, lines: Iterable[bytes]) -> None:
    for line in lines:
        if path := os.fsdecode(line.rstrip(b"\r\n")):
            found.add(path, path)


def _add_folder(found: Inputs, typed: str, folder: Path) -> None:
    """Images in it and below; hidden files and what is no picture are left out, links to folders are not followed."""
    known, left = suffixes(), list[str]()
    entries = walk(folder)
    for entry in entries:
        if entry.hidden or entry.kind is Kind.FOLDER:
            continue
        path = os.path.join(typed, entry.path)  # noqa: PTH118 - as it was typed
        if reason := _why_not(entry):
            found.unlabelled.append(Unlabelled(path, reason))
        elif entry.kind is Kind.FOLDER_LINK:
            found.notes.append(f"{path} is a link to a folder: not followed")
        elif (why := why_unread(folder / entry.path, known)) is None:
            found.add(path, path)
        elif why.format:
            found.unlabelled.append(Unlabelled(path, f"{why.reason}; {why.way}"))
        else:
            left.append(entry.path)
    if left:
        found.notes.append(
            f"{len(left):,} {'file is' if len(left) == 1 else 'files are'} no image in {typed}: {some(left)}"
        )


def _why_not(entry: FolderEntry) -> str:
    if entry.kind is Kind.NOT_UTF8:
        return "its name is not UTF-8"
    return str(entry.kind) if entry.kind in (Kind.BROKEN_LINK, Kind.SPECIAL) else ""


def _add_table(found: Inputs, file: Path) -> None:
    """The images that a table lists; a path that is not absolute starts at the table's folder, else at the current."""
    for cell in _paths(read_table(file, setting="PATH")):
        if cell:
            beside = file.parent / cell
            found.add(cell, str(beside if beside.exists() else cell))


def _paths(table: LabelTable) -> Iterator[str]:
    """The cells of its column of paths: that of a usual name, else the only one whose cells all name images."""
    named = usual_column("path", table.columns)
    if not named:
        places = range(len(table.columns))
        fitting = [at for at in places if table.rows and all(has_image_suffix(row[at]) for row in table.rows)]
        if len(fitting) != 1:
            raise DataError(
                f"{table.name} has no column of paths: its columns are {some(table.columns)}",
                next_step="call the column that names the images 'path'",
            )
        named = table.columns[fitting[0]]
    at = table.columns.index(named)
    return (row[at] for row in table.rows)
