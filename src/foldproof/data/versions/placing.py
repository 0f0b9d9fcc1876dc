"""Place files from a DVC cache into a folder, keeping files that no version holds.

DVC's own checkout removes before it writes, believes times and sizes, and takes away a complete folder where one of its
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

from foldproof.data.links import leads_to_cache
from foldproof.data.scan import THREADS, hash_files
from foldproof.data.versions import dvc, listing
from foldproof.data.versions.lists import Files
from foldproof.data.walk import FolderEntry, Kind, walk
from foldproof.errors import DataError, StorageError
from foldproof.storage import Md5, RelativePath, folder_for, leads_astray

_LEFTOVER = re.compile(r"(^|/)\.[\w-]{22}\.tmp$")  # of a checkout that was killed, DVC's or ours


@dataclass(frozen=True)
class CachedObjects:
    """A DVC cache, and how the objects in it are hashed."""

    cache: Any
    legacy: bool
    links: tuple[Path, ...] = ()

    def path(self, oid: Md5) -> Path:
        return Path(self.cache.oid_to_path(oid))

    def has(self, oid: Md5) -> bool:
        """Whether there is an object of that name, damaged or not."""
        return self.path(oid).is_file()

    def remove(self, oid: Md5) -> None:
        """Remove an object, be it a file or a link to one, from the cache itself and never from behind a link."""
        path = self.path(oid)
        inside = RelativePath.parse(path.parent.relative_to(self.cache.path).as_posix())
        if leads_astray(Path(self.cache.path), inside) is None and not path.is_dir():
            path.unlink(missing_ok=True)

    def holds(self, oid: Md5) -> bool:
        """Whether the object is there and its content is what its name says."""
        return listing.is_whole(self.path(oid), oid, legacy=self.legacy)

    def md5(self, folder: Path, paths: Sequence[str]) -> dict[RelativePath, Md5]:
        """Hashes of files that are there, as this cache names them."""
        if self.legacy:
            return {RelativePath.parse(path): listing.md5_of(folder / path, legacy=True) for path in paths}
        found = hash_files(folder, paths).items()
        return {RelativePath.parse(path): Md5.parse(hashes.md5) for path, hashes in found}


@dataclass(frozen=True)
class There:
    """What is in a folder now. `md5`: files, and links into a DVC cache. `others`: what else stands under a name."""

    md5: Files
    others: Mapping[RelativePath, Kind]
    hidden: frozenset[str]


def look(folder: Path, shelf: CachedObjects) -> There:
    """Hash what is there. Nothing is changed."""
    entries = walk(folder) if folder.is_dir() else ()
    files = {entry.path: entry.kind for entry in entries if _is_file(folder, entry, shelf)}
    return There(
        md5=shelf.md5(folder, list(files)),
        others={
            RelativePath.parse(entry.path): entry.kind
            for entry in entries
            if entry.path not in files and not _dangles(folder, entry, shelf)
        },
        hidden=frozenset(entry.path for entry in entries if entry.hidden),
    )


def sweep(folder: Path, *, but: Mapping[RelativePath, Any]) -> None:
    """Remove the temporary files that a killed checkout left, unless `but` names them."""
    for entry in walk(folder) if folder.is_dir() else ():
        if entry.kind is Kind.FILE and _LEFTOVER.search(entry.path) and entry.path not in but:
            (folder / entry.path).unlink()


def _is_file(folder: Path, entry: FolderEntry, shelf: CachedObjects) -> bool:
    if entry.kind is Kind.LINK:
        return leads_to_cache(folder / entry.path, shelf.links)
    return entry.kind is Kind.FILE


def _dangles(folder: Path, entry: FolderEntry, shelf: CachedObjects) -> bool:
    """A link of DVC's whose object is gone: as good as no file."""
    return entry.kind is Kind.BROKEN_LINK and leads_to_cache(folder / entry.path, shelf.links)


def obstacles(files: Iterable[RelativePath], there: There) -> tuple[RelativePath, ...]:
    """What stands where a versioned file, or a folder on the way to one, must be."""
    found: set[RelativePath] = set()
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


def put(folder: Path, files: Files, shelf: CachedObjects, *, seen: Files) -> tuple[RelativePath, ...]:
    """Put these files in their places; those whose object in the cache is damaged or gone, which were not.

    `seen`: the hashes of files that may be replaced. Raises DataError where another file has come there since,
    DamagedFile where a link stands on the way to one.
    """
    for path in {path.rpartition("/")[0]: path for path in files}.values():
        folder_for(folder, path)

    there = next((oid for oid in files.values() if shelf.has(oid)), None)
    kinds = dvc.kinds_of_link(shelf.cache, there, folder) if there else ("copy",)

    def place(path: RelativePath) -> bool:
        return _put_one(path.below(folder), files[path], shelf, kinds, seen=seen.get(path))

    with ThreadPoolExecutor(THREADS) as pool:
        done = pool.map(place, files)
        return tuple(path for path, placed in zip(files, done, strict=True) if not placed)


def _put_one(path: Path, oid: Md5, shelf: CachedObjects, kinds: Sequence[str], *, seen: Md5 | None) -> bool:
    temporary = path.with_name(f".{secrets.token_urlsafe(16)}.tmp")
    try:
        if not shelf.has(oid):
            return False
        dvc.bring(shelf.cache, oid, temporary, kinds=kinds)
        if not listing.is_whole(temporary, oid, legacy=shelf.legacy):
            return False
        if path.is_file() and (seen is None or listing.md5_of(path, legacy=shelf.legacy) != seen):
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


def take_out(folder: Path, paths: Iterable[RelativePath]) -> None:
    """Remove files, and folders that are empty then; none behind a link."""
    names = tuple(paths)
    remove(folder, names)
    for path in names:
        for above in _above(path):
            with suppress(OSError):
                above.below(folder).rmdir()


def remove(folder: Path, paths: Iterable[RelativePath]) -> None:
    """Remove files; none behind a link."""
    for path in paths:
        if not _is_behind_a_link(folder, path):
            path.below(folder).unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Remove a folder in which there is nothing but folders; a link to one stays."""
    if folder.is_symlink():
        return
    for below in sorted(folder.rglob("*"), reverse=True):
        below.rmdir()
    folder.rmdir()


def set_aside(folder: Path, paths: Sequence[RelativePath], aside: Path, *, copy: bool = False) -> Path:
    """Move files, or whatever stands under these names, to a new folder in `aside`, named by the time; that folder."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    try:
        target = _new_folder(aside, stamp)
        for path in paths:
            if _is_behind_a_link(folder, path):
                continue
            to = folder_for(target, path) / path.parts[-1]
            if copy:
                shutil.copy2(path.below(folder), to)
            else:
                shutil.move(path.below(folder), to)
    except OSError as error:
        raise StorageError(
            f"cannot put files aside in {aside}: {error.strerror or error}",
            next_step="free some space or fix the permissions; nothing was overwritten",
        ) from error
    return target


def _new_folder(aside: Path, stamp: str) -> Path:
    aside.mkdir(parents=True, exist_ok=True)
    for name in (stamp, *(f"{stamp}-{number}" for number in range(2, 1000))):
        with suppress(FileExistsError):
            (aside / name).mkdir()
            return aside / name
    raise FileExistsError(f"no free name for {stamp}")


def _above(path: RelativePath) -> list[RelativePath]:
    """The folders on the way to a file, the innermost first."""
    parts = path.parts
    return [RelativePath.parse("/".join(parts[:depth])) for depth in range(len(parts) - 1, 0, -1)]


def _is_behind_a_link(folder: Path, path: RelativePath) -> bool:
    above = _above(path)
    return bool(above) and leads_astray(folder, above[0]) is not None
