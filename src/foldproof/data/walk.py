"""A folder in, a list of everything in it out; nothing is opened and no link to a folder is followed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from foldproof.errors import DataError

NOT_VERSIONED = frozenset({".git", ".hg", ".dvc"})  # folders that DVC itself leaves out


class Kind(StrEnum):
    """What stands under a name in a folder."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a link to a file"
    FOLDER_LINK = "a link to a folder"
    BROKEN_LINK = "a broken link"
    SPECIAL = "a pipe, socket or device"


@dataclass(frozen=True, order=True)
class Entry:
    """A name in the folder, relative to it, with slashes."""

    path: str
    kind: Kind

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts

    @property
    def hidden(self) -> bool:
        """Whether it, or a folder that it lies in, begins with a dot."""
        return self.path.startswith(".") or "/." in self.path


def walk(folder: Path) -> tuple[Entry, ...]:
    """Everything in `folder`, sorted by path.

    Raises DataError where there is no such folder, where it cannot be listed, and for names that are not UTF-8.
    """
    if not folder.is_dir():
        raise DataError(
            f"no images in {folder}: there is no such folder",
            next_step="`foldproof data pull` fetches versioned images, `foldproof data add PATH` versions new ones",
        )
    entries: list[Entry] = []
    waiting = [""]
    while waiting:
        below = _list(folder, waiting.pop())
        entries += below
        waiting += [entry.path for entry in below if entry.kind is Kind.FOLDER]
    strange = sorted(repr(os.fsencode(entry.path)) for entry in entries if not _is_text(entry.path))
    if strange:
        raise DataError(
            f"{some(strange)}: not UTF-8", next_step="rename: neither DVC nor a record can hold such a name"
        )
    return tuple(sorted(entries))


def some(names: Sequence[str], *, between: str = ", ") -> str:
    """The first three of `names` and the number of the others."""
    return between.join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _list(folder: Path, relative: str) -> list[Entry]:
    try:
        with os.scandir(folder / relative) as found:
            return [
                Entry(f"{relative}/{entry.name}" if relative else entry.name, _kind(entry))
                for entry in found
                if entry.name not in NOT_VERSIONED
            ]
    except OSError as error:
        raise DataError(
            f"cannot list {folder / os.fsencode(relative).decode(errors='replace')}: {error.strerror}",
            next_step="mend the permissions",
        ) from error


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


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
