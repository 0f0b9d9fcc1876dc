"""List everything in a folder, without opening files or following links to folders."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from foldproof.data.furniture import furniture_on
from foldproof.errors import DataError
from foldproof.storage.nowhere import likely_name, why_no_path

NOT_VERSIONED = frozenset({".git", ".hg", ".dvc"})  # folders that DVC itself leaves out


class Kind(StrEnum):
    """What stands under a name in a folder."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a link to a file"
    FOLDER_LINK = "a link to a folder"
    BROKEN_LINK = "a broken link"
    SPECIAL = "a pipe, socket or device"
    NOT_UTF8 = "a name that is not UTF-8"


class FolderEntry(NamedTuple):
    """A name in the folder, relative to it, with slashes; bytes that are not UTF-8 stand as \\xe9 and the like."""

    path: str
    kind: Kind

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts

    @property
    def hidden(self) -> bool:
        """Whether it, or a folder that it lies in, begins with a dot or is the system's."""
        return self.path.startswith(".") or "/." in self.path or self.furniture is not None

    @property
    def furniture(self) -> str | None:
        """What on the way a system or an editor has left; see `furniture_on`."""
        return furniture_on(self.path)


def walk(folder: Path) -> tuple[FolderEntry, ...]:
    """Everything in `folder`, sorted by path; what lies in a folder whose name is not UTF-8 is left out.

    Raises DataError where there is no such folder, or where it cannot be listed.
    """
    if not folder.is_dir():
        raise _no_folder(folder)
    entries: list[FolderEntry] = []
    waiting = [""]
    while waiting:
        below = _list(folder, waiting.pop())
        entries += below
        waiting += [entry.path for entry in below if entry.kind is Kind.FOLDER]
    return tuple(sorted(entries, key=attrgetter("path")))


def _no_folder(folder: Path) -> DataError:
    if folder.exists():
        return DataError(f"no images in {folder}: it is a file", next_step="name a folder with a folder a class")
    if folder.with_name(f"{folder.name}.dvc").is_file():
        return DataError(
            f"no images in {folder}: they are versioned, but not here", next_step="`foldproof data pull` brings them"
        )
    if wrong := why_no_path(folder):
        return DataError(f"no images in {folder}: {wrong[0]}", next_step=wrong[1])
    hint = likely_name(folder)
    return DataError(
        f"no images in {folder}: there is no such folder{'; ' + hint if hint else ''}",
        next_step="correct data.path, or get images: `foldproof data pull`; `foldproof data add` versions new ones",
    )


def some(names: Sequence[str], *, between: str = ", ") -> str:
    """The first three of `names` and the number of the others."""
    return between.join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _list(folder: Path, relative: str) -> list[FolderEntry]:
    try:
        with os.scandir(folder / relative) as listed:
            found = list(listed)
            _refuse_other_encoding(folder / relative, [entry.name for entry in found])
            return [_entry(relative, entry) for entry in found if entry.name not in NOT_VERSIONED]
    except OSError as error:
        raise DataError(
            f"cannot list {folder / relative}: {error.strerror}",
            next_step="fix the permissions",
        ) from error


def _refuse_other_encoding(folder: Path, names: Sequence[str]) -> None:
    """Raises DataError where this process does not read names as UTF-8, and a name has other letters than ASCII has:
    it would be another name, and a class of another name, than on other machines.
    """
    encoding = sys.getfilesystemencoding().lower()
    strange = next((name for name in names if not name.isascii()), None)
    if encoding not in ("utf-8", "utf8") and strange is not None:
        shown = os.fsencode(strange).decode(errors="backslashreplace")
        raise DataError(
            f"{folder}: names such as '{shown}' are read as {encoding} here, since LC_ALL, LANG or PYTHONUTF8 says so",
            next_step="`export PYTHONUTF8=1`, then try again",
        )


def _entry(relative: str, entry: os.DirEntry[str]) -> FolderEntry:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        name, kind = os.fsencode(entry.name).decode(errors="backslashreplace"), Kind.NOT_UTF8
    else:
        name, kind = entry.name, _kind(entry)
    return FolderEntry(f"{relative}/{name}" if relative else name, kind)


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        if entry.is_dir():
            return Kind.FOLDER_LINK
        if entry.is_file():
            return Kind.LINK
        return Kind.SPECIAL if Path(entry.path).exists() else Kind.BROKEN_LINK
    if entry.is_dir():
        return Kind.FOLDER
    return Kind.FILE if entry.is_file() else Kind.SPECIAL
