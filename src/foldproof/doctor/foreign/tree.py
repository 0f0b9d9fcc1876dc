"""List what stands in a stranger's folder, within limits of number and time; nothing is opened, no link is followed."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.storage import read_inside

MOST_ENTRIES = 1_000_000
MOST_SECONDS = 20.0
MOST_TEXT_BYTES = 2**20
_DEEPEST = 60


@dataclass(frozen=True)
class TreeEntry:
    """A name in the folder, relative to it with slashes, and what `lstat` says of it. `target`: of a link."""

    path: str
    mode: int
    size: int
    owner: int
    target: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


@dataclass(frozen=True)
class Tree:
    """All entries of a folder, sorted; `unseen`: what was not looked at, and why."""

    root: Path
    entries: tuple[TreeEntry, ...]
    unseen: tuple[str, ...]

    def text(self, path: str) -> str | None:
        """The content of a small file in the folder; None where it is no plain file, behind a link, or too large."""
        try:
            return read_inside(self.root, path, most_bytes=MOST_TEXT_BYTES).decode("utf-8", "replace")
        except (DamagedFile, OSError):
            return None


def list_tree(root: Path, *, most: int = MOST_ENTRIES, seconds: float = MOST_SECONDS) -> Tree:
    """Everything in `root`, except for the objects that git and DVC keep by their hashes."""
    entries: list[TreeEntry] = []
    unseen: list[str] = []
    until = time.monotonic() + seconds
    waiting = [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        if len(entries) > most or time.monotonic() > until:
            unseen.append(f"the listing ended after {len(entries):,} entries")
            break
        if depth > _DEEPEST:
            unseen.append(f"{folder} is nested too deeply")
            continue
        try:
            found = list(_entries(root, folder))
        except OSError as error:
            unseen.append(f"{folder or '.'} cannot be listed: {error.strerror}")
            continue
        entries += found
        waiting += [(entry.path, depth + 1) for entry in found if entry.is_folder and not _is_of_objects(entry.path)]
    return Tree(root, tuple(sorted(entries, key=lambda entry: entry.path)), tuple(unseen))


def _entries(root: Path, folder: str) -> Iterator[TreeEntry]:
    with os.scandir(root / folder) as found:
        for one in found:
            info = one.stat(follow_symlinks=False)
            target = str(Path(one.path).readlink()) if stat.S_ISLNK(info.st_mode) else ""
            path = f"{folder}/{one.name}" if folder else one.name
            yield TreeEntry(path, info.st_mode, info.st_size, info.st_uid, target)


def _is_of_objects(path: str) -> bool:
    parts = path.split("/")
    if ".git" in parts and (parts[-1] == "lfs" or parts[-2:-1] == ["objects"]):
        return parts[-1] != "info"
    return parts[-2:] == [".dvc", "cache"]
