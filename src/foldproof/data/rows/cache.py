"""Manage the cache of decoded images and features: list it, measure it, make room in it.

A file goes only while nobody builds it or trains on it. Whoever uses one holds a lock on a mark of its own beside it
until its process ends, however it ends.
"""

import hashlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from foldproof.data.rows.files import OWN, index_file, is_whole, read_head, shape_of
from foldproof.errors import NoRoom, StorageError
from foldproof.storage import locked

GB = 10**9
KINDS = ("images", "features")
WAIT_SECONDS = 3600.0  # for another process that makes the same rows

_marks: dict[Path, FileLock] = {}  # of this process; the system frees them when it ends


@dataclass(frozen=True)
class Kept:
    """One file of rows, a row an image. Where its index is missing, `images` is 0 and what is said of it is empty."""

    path: Path
    kind: str  # of KINDS
    images: int
    row: tuple[int, ...]
    number: str
    maker: str
    about: Mapping[str, Any]
    bytes: int
    used: float  # seconds since 1970

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path.name,
            "kind": self.kind,
            "images": self.images,
            **self.about,
            "decoder": self.maker,
            "bytes": self.bytes,
            "used": self.used,
        }


def kept(cache: Path) -> tuple[Kept, ...]:
    """All that is in `cache`, the most recently used first."""
    found: list[Kept] = []
    for kind in KINDS:
        for path in cache.glob(f"{kind}-*.npy"):
            with suppress(OSError):  # another process may take it away meanwhile
                found.append(_described(path, kind))
    return tuple(sorted(found, key=lambda item: (-item.used, item.path.name)))


def _described(path: Path, kind: str) -> Kept:
    head, index = read_head(path), index_file(path)
    stat = index.stat() if index.exists() else path.stat()
    size = path.stat().st_size + (stat.st_size if index.exists() else 0)
    try:
        row, number = shape_of(head)
        images, maker = int(head["images"]), str(head["decoder"])
        about = {name: value for name, value in head.items() if name not in OWN}
    except (KeyError, TypeError, ValueError):
        images, row, number, maker, about = 0, (), "", "", {}
    return Kept(path, kind, images, row, number, maker, about, size, stat.st_mtime)


def row_file(cache: Path, kind: str, maker: str, names: Sequence[bytes]) -> Path:
    """Where rows of these names, made so, are kept."""
    key = hashlib.sha256(maker.encode() + b"".join(names)).hexdigest()[:32]
    return cache / f"{kind}-{key}.npy"


def make_once(path: Path, build: Callable[[], None]) -> Path:
    """The file of rows `path`, built where it is missing or damaged, and in use by this process until it ends."""
    with building(path):
        if not is_whole(path):
            clean(path.parent, mine=path)
            build()
        use(path)
    return path


@contextmanager
def building(path: Path) -> Iterator[None]:
    """Be the only one to look at `path` and build it. Raises StorageError."""
    with locked(path.with_suffix(".lock"), what="the cache", wait_seconds=WAIT_SECONDS):
        yield


def use(path: Path) -> None:
    """Say that this process uses `path` from now until it ends, and that it was used now."""
    os.utime(index_file(path))
    is_in_use(path)  # forgets marks of processes that ended
    if path not in _marks:
        mark = FileLock(path.with_name(f"{path.stem}.use-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"))
        mark.acquire()
        _marks[path] = mark


def make_room(cache: Path, *, needed: int, limit: float, what: str) -> None:
    """Remove the least recently used so that `needed` bytes more, of `what`, stay within `limit`; what is in use stays.

    Raises NoRoom where `needed` by itself is more than `limit`.
    """
    if needed > limit:
        raise NoRoom(
            f"{what} take {needed / GB:.1f} GB and execution.cache_gb is {limit / GB:g}",
            next_step=f"set execution.cache_gb to {-(-needed // GB)}, or a smaller data.image_size",
        )
    items = kept(cache)
    total = needed + sum(item.bytes for item in items)
    for item in reversed(items):
        if total > limit and remove(item.path):
            total -= item.bytes


def remove(path: Path) -> bool:
    """Remove a file of rows, unless somebody builds or uses it or the system will not let it go."""
    try:
        with locked(path.with_suffix(".lock"), what="the cache"):
            return not is_in_use(path) and _unlinked(index_file(path)) and _unlinked(path)
    except StorageError:
        return False


def clear(cache: Path) -> int:
    """Remove all that is kept and say how many bytes that freed.

    Raises StorageError, with nothing removed, where something is being made or used.
    """
    items = kept(cache)
    for lock in (lock for kind in KINDS for lock in cache.glob(f"{kind}-*.lock")):
        with locked(lock, what="the cache"):
            if is_in_use(lock.with_suffix(".npy")):
                raise StorageError("the cache is in use by a run", next_step="wait for it to end, then try again")
    clean(cache)
    return sum(item.bytes for item in items if remove(item.path))


def damaged(cache: Path) -> tuple[Kept, ...]:
    """Read all that is kept and say what is not as it was written."""
    return tuple(item for item in kept(cache) if not is_whole(item.path, deep=True))


def is_in_use(path: Path) -> bool:
    """Whether a process that still lives, this one too, said that it uses `path`. Forgets those that do not."""
    used = path in _marks
    for mark in path.parent.glob(f"{path.stem}.use-*"):
        if path in _marks and mark == Path(_marks[path].lock_file):
            continue
        lock = FileLock(mark)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            used = True
            continue
        _unlinked(mark)
        lock.release()
    return used


def clean(cache: Path, *, mine: Path | None = None) -> None:
    """Remove what builders left behind that were killed. `mine` is the file whose lock is held here."""
    for leftover in (leftover for kind in KINDS for leftover in cache.glob(f".{kind}-*.tmp")):
        path = cache / f"{leftover.name[1:].partition('.')[0]}.npy"
        if path == mine:
            _unlinked(leftover)
            continue
        with suppress(StorageError), locked(path.with_suffix(".lock"), what="the cache"):
            _unlinked(leftover)


def _unlinked(path: Path) -> bool:
    """Whether `path` is gone; Windows does not let go of what is open."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return False
    return True
