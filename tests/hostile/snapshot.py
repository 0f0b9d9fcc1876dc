"""What lies on the disk: a folder in, all below it with the hash of its content out; and what has changed."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_MOST_HASHED = 64 * 2**20  # of a larger file, size and time count
_TIMED = ("canary", "home", "remote", "given")  # whose times count too: not even a touch


@dataclass(frozen=True)
class Entry:
    """One name on the disk; `content` is a hash, the target of a link, or empty for what has neither."""

    kind: str
    mode: int
    size: int
    content: str
    time: int


Snapshot = Mapping[str, Entry]


def snapshot(base: Path) -> Snapshot:
    """Everything below `base`, by its path in it; links are not followed."""
    return dict(_entries(base, ""))


def changes(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """`+ path`, `- path` or `~ path` for each name that came, went or is not what it was, sorted by path."""
    found = dict.fromkeys(before.keys() - after.keys(), "-")
    found |= dict.fromkeys(after.keys() - before.keys(), "+")
    found |= dict.fromkeys((path for path in before.keys() & after.keys() if before[path] != after[path]), "~")
    return tuple(f"{sign} {path}" for path, sign in sorted(found.items()))


def _entries(base: Path, below: str) -> Iterator[tuple[str, Entry]]:
    with os.scandir(base / below) as listed:
        found = sorted(listed, key=lambda entry: entry.name)
    for entry in found:
        name = f"{below}/{entry.name}" if below else entry.name
        info = entry.stat(follow_symlinks=False)
        yield name, _entry(Path(entry.path), info, is_timed=name.split("/")[0] in _TIMED)
        if stat.S_ISDIR(info.st_mode):
            yield from _entries(base, name)


def _entry(path: Path, info: os.stat_result, *, is_timed: bool) -> Entry:
    mode, time = stat.S_IMODE(info.st_mode), info.st_mtime_ns if is_timed else 0
    if stat.S_ISDIR(info.st_mode):
        return Entry("folder", mode, 0, "", time)
    if stat.S_ISLNK(info.st_mode):
        return Entry("link", 0, 0, str(path.readlink()), time)
    if not stat.S_ISREG(info.st_mode):
        return Entry("special", mode, 0, "", time)
    if info.st_size > _MOST_HASHED:
        return Entry("file", mode, info.st_size, "", info.st_mtime_ns)
    return Entry("file", mode, info.st_size, hashlib.sha256(path.read_bytes()).hexdigest(), time)
