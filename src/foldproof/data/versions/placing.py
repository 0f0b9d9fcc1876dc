"""Files of a DVC cache in, the same files in their places out; what no version holds is told apart and kept.

DVC's own checkout removes before it writes, believes times and sizes, and takes away a whole folder where one of its
files fails. Here a file is written beside its place, hashed, and takes it in one step.
"""

import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.data.scan import THREADS, hash_files
from foldproof.data.versions import dvc
from foldproof.data.walk import Entry, Kind, walk
from foldproof.errors import DataError, StorageError

_LEFTOVER = re.compile(r"(^|/)\.[\w-]{22}\.tmp$")  # of a checkout that was killed, DVC's or ours


@dataclass(frozen=True)
class Shelf:
    """A DVC cache, and how the objects in it are hashed."""

    cache: Any
    legacy: bool
    links: tuple[Path, ...] = ()

    def path(self, oid: str) -> Path:
        return Path(self.cache.oid_to_path(oid))

    def has(self, oid: str) -> bool:
        """Whether there is an object of that name, damaged or not."""
        return self.path(oid).is_file()

    def holds(self, oid: str) -> bool:
        """Whether the object is there and its content is what its name says."""
        return dvc.is_whole(self.path(oid), oid, legacy=self.legacy)

    def md5(self, folder: Path, paths: Sequence[str]) -> dict[str, str]:
        """Hashes as this cache names them."""
        if self.legacy:
            return {path: dvc.md5_of(folder / path, legacy=True) for path in paths}
        return {path: hashes.md5 for path, hashes in hash_files(folder, paths).items()}


@dataclass(frozen=True)
class There:
    """What is in a folder now. `md5`: files, and links into a DVC cache. `others`: what else stands under a name."""

    md5: Mapping[str, str]
    others: Mapping[str, Kind]
    hidden: frozenset[str]


def look(folder: Path, shelf: Shelf, *, sweep_for: Mapping[str, str]) -> There:
    """Hash what is there. Temporary files that a killed checkout left are removed, unless `sweep_for` names them."""
    entries = walk(folder) if folder.is_dir() else ()
    kept: list[Entry] = []
    for entry in entries:
        if entry.kind is Kind.FILE and _LEFTOVER.search(entry.path) and entry.path not in sweep_for:
            (folder / entry.path).unlink()
        else:
            kept.append(entry)
    files = {entry.path: entry.kind for entry in kept if _is_file(folder, entry, shelf)}
    return There(
        md5=shelf.md5(folder, list(files)),
        others={
            entry.path: entry.kind for entry in kept if entry.path not in files and not _dangles(folder, entry, shelf)
        },
        hidden=frozenset(entry.path for entry in kept if entry.hidden),
    )


def _is_file(folder: Path, entry: Entry, shelf: Shelf) -> bool:
    if entry.kind is Kind.LINK:
        return dvc.leads_to_cache(folder / entry.path, shelf.links)
    return entry.kind is Kind.FILE


def _dangles(folder: Path, entry: Entry, shelf: Shelf) -> bool:
    """A link of DVC's whose object is gone: as good as no file."""
    return entry.kind is Kind.BROKEN_LINK and dvc.leads_to_cache(folder / entry.path, shelf.links)


def obstacles(files: Iterable[str], there: There) -> tuple[str, ...]:
    """What stands where a versioned file, or a folder on the way to one, must be."""
    found: set[str] = set()
    for path in files:
        if there.others.get(path):
            found.add(path)
        for above in _above(path):
            if above in there.md5 or there.others.get(above, Kind.FOLDER) is not Kind.FOLDER:
                found.add(above)
    return tuple(sorted(found))


def is_part(path: Path, whole: Path) -> bool:
    """Whether a file holds nothing but the beginning of another, or that and zeros: what a crash leaves of a write."""
    content, versioned = path.read_bytes(), whole.read_bytes()
    return len(content) <= len(versioned) and versioned.startswith(content.rstrip(b"\0"))


def put(folder: Path, files: Mapping[str, str], shelf: Shelf, *, seen: Mapping[str, str]) -> tuple[str, ...]:
    """Put these files in their places; those whose object in the cache is damaged or gone, which were not.

    `seen`: the hashes of files that may be replaced. Raises DataError where another file has come there since.
    """
    for parent in {folder / Path(path).parent for path in files}:
        parent.mkdir(parents=True, exist_ok=True)

    there = next((oid for oid in files.values() if shelf.has(oid)), None)
    kinds = dvc.kinds_of_link(shelf.cache, there, folder) if there else ("copy",)

    def place(path: str) -> bool:
        return _put_one(folder / path, files[path], shelf, kinds, seen=seen.get(path))

    with ThreadPoolExecutor(THREADS) as pool:
        done = pool.map(place, files)
        return tuple(path for path, placed in zip(files, done, strict=True) if not placed)


def _put_one(path: Path, oid: str, shelf: Shelf, kinds: Sequence[str], *, seen: str | None) -> bool:
    temporary = path.with_name(f".{secrets.token_urlsafe(16)}.tmp")
    try:
        if not shelf.has(oid):
            return False
        dvc.bring(shelf.cache, oid, temporary, kinds=kinds)
        if not dvc.is_whole(temporary, oid, legacy=shelf.legacy):
            return False
        if path.is_file() and (seen is None or dvc.md5_of(path, legacy=shelf.legacy) != seen):
            raise DataError(
                f"{path} was written while the images were pulled: left as it is",
                next_step="pull again when it is done",
            )
        temporary.replace(path)
        return True
    finally:
        with suppress(OSError):
            temporary.unlink()


def is_linked(path: Path) -> bool:
    """Whether a file shares its content with another, by a hard or a symbolic link."""
    return path.is_symlink() or path.stat().st_nlink > 1


def detach(path: Path) -> None:
    """Make a link into a cache a file of its own with the same content."""
    if not is_linked(path):
        return
    temporary = path.with_name(f".{secrets.token_urlsafe(16)}.tmp")
    try:
        shutil.copyfile(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def take_out(folder: Path, paths: Iterable[str]) -> None:
    """Remove files, and folders that are empty then."""
    for path in paths:
        (folder / path).unlink(missing_ok=True)
        for above in _above(path):
            with suppress(OSError):
                (folder / above).rmdir()


def clear(folder: Path) -> None:
    """Remove a folder in which there is nothing but folders."""
    for below in sorted(folder.rglob("*"), reverse=True):
        below.rmdir()
    folder.rmdir()


def set_aside(folder: Path, paths: Sequence[str], aside: Path, *, copy: bool = False) -> Path:
    """Move files, or whatever stands under these names, to a new folder in `aside`, named by the time; that folder."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    try:
        target = _new_folder(aside, stamp)
        for path in paths:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            if copy:
                shutil.copy2(folder / path, target / path)
            else:
                shutil.move(folder / path, target / path)
    except OSError as error:
        raise StorageError(
            f"cannot put files aside in {aside}: {error.strerror or error}",
            next_step="free some space or mend the permissions; nothing was overwritten",
        ) from error
    return target


def _new_folder(aside: Path, stamp: str) -> Path:
    aside.mkdir(parents=True, exist_ok=True)
    for name in (stamp, *(f"{stamp}-{number}" for number in range(2, 1000))):
        with suppress(FileExistsError):
            (aside / name).mkdir()
            return aside / name
    raise FileExistsError(f"no free name for {stamp}")


def _above(path: str) -> list[str]:
    """The folders on the way to a file, the innermost first."""
    return [parent.as_posix() for parent in Path(path).parents if parent.as_posix() != "."]
