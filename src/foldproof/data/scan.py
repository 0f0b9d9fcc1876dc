"""Walk an image folder into a `Dataset`: a class a subfolder; what is not used is reported with its reason."""

import hashlib
import os
import posixpath
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from foldproof.data.dataset import Dataset, Sample
from foldproof.data.readers import suffixes
from foldproof.data.walk import Entry, Kind, walk
from foldproof.errors import DataError, SettingsError

THREADS = 8  # more than cores: a folder may lie on a network drive
CHUNK = 64  # files a thread takes at once
TRAINING = frozenset({"train", "training"})
PARTS = TRAINING | {"val", "valid", "validation", "dev", "test", "testing"}

Grouping: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class Ignored:
    """A file or folder that is not part of the dataset, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Scan:
    """What is in an image folder. `md5` is of every regular file, image or not, hidden or not, as DVC records them."""

    dataset: Dataset
    md5: Mapping[str, str]
    ignored: tuple[Ignored, ...]


@dataclass(frozen=True)
class Hashes:
    """Of one file's bytes: MD5 is what DVC knows it by, SHA-256 what we do."""

    md5: str
    sha256: str


def scan(folder: Path, *, group_by: str | None = None, cache_dirs: tuple[Path, ...] = ()) -> Scan:
    """The images below the class folders of `folder`, each file read once.

    A link to a file is followed only into a DVC cache (`.dvc/cache`, or one of `cache_dirs`), a link to a folder never.
    `group_by`: "parent" is the path between class folder and file, so that a file directly in its class has no group;
    anything else is a regular expression searched in the relative path, and the group is its first group, or all that
    it matches. Raises DataError where there is nothing to train on, SettingsError for an expression that is none.
    """
    group_of = _grouping(group_by)
    entries = walk(folder)
    files = [entry.path for entry in entries if entry.kind is Kind.FILE] + _cached(folder, entries, cache_dirs)
    reasons = _reasons(entries, frozenset(files))
    images = [path for path in files if path not in reasons]
    _refuse_splits(folder, {_label(path) for path in images})
    if not images:
        raise _nothing(folder, entries)
    groups = {path: group_of(path) for path in images}
    hashes = hash_files(folder, files)
    dataset = Dataset.of([Sample(hashes[path].sha256, _label(path), path, groups[path]) for path in images])
    return Scan(
        dataset,
        {path: found.md5 for path, found in hashes.items()},
        tuple(sorted(_reported(entries, reasons, dataset.classes), key=lambda item: item.path)),
    )


def are_parts(names: Collection[str]) -> bool:
    """Whether these names of folders are the parts of a data set, such as train and val, and no classes."""
    lower = {name.lower() for name in names}
    return len(lower) > 1 and lower <= PARTS and not lower.isdisjoint(TRAINING)


def _label(path: str) -> str:
    return path.partition("/")[0]


def _cached(folder: Path, entries: Sequence[Entry], cache_dirs: Sequence[Path]) -> list[str]:
    """Links to files of a DVC cache: what `cache.type symlink` makes of every image."""
    caches = tuple(Path(os.path.realpath(cache)) for cache in cache_dirs)
    found: list[str] = []
    for entry in entries:
        if entry.kind is Kind.LINK:
            target = Path(os.path.realpath(folder / entry.path))
            if (".dvc", "cache") in zip(target.parts, target.parts[1:], strict=False) or any(
                target.is_relative_to(cache) for cache in caches
            ):
                found.append(entry.path)
    return found


def _reasons(entries: Sequence[Entry], files: frozenset[str]) -> Mapping[str, str]:
    """Why an entry is no image of the dataset; folders on the way to images, and images, are not in it."""
    known = suffixes()
    reasons = {entry.path: _reason(entry, read=entry.path in files, known=known) for entry in entries}
    return {path: reason for path, reason in reasons.items() if reason}


def _reason(entry: Entry, *, read: bool, known: frozenset[str]) -> str:
    if entry.hidden:
        return "hidden"
    if entry.kind is Kind.FOLDER:
        return ""
    if not read:
        return str(entry.kind)
    suffix = posixpath.splitext(entry.path)[1]
    if suffix.lower() not in known:
        return f"no reader for '{suffix}'" if suffix else "no suffix"
    return "" if "/" in entry.path else "not in a class folder"


def _reported(entries: Sequence[Entry], reasons: Mapping[str, str], classes: Sequence[str]) -> list[Ignored]:
    """A hidden folder stands for all that is in it, as does a class folder without images."""
    ignored = [
        Ignored(entry.path, reasons[entry.path])
        for entry in entries
        if entry.path in reasons and not any(part.startswith(".") for part in entry.parts[:-1])
    ]
    empty = [
        Ignored(entry.path, "a class folder without images")
        for entry in entries
        if entry.kind is Kind.FOLDER and "/" not in entry.path and not entry.hidden and entry.path not in classes
    ]
    return [*ignored, *empty]


def _refuse_splits(folder: Path, labels: set[str]) -> None:
    if are_parts(labels):
        raise DataError(
            f"{folder} holds {', '.join(sorted(labels))}: parts of a data set, not classes",
            next_step=f"set data.path to the folder {folder.name}/train and keep the rest for a test,\n"
            "  or move the class folders of all parts into one folder: foldproof cuts the folds itself",
        )


def _nothing(folder: Path, entries: Sequence[Entry]) -> DataError:
    if not entries:
        return DataError(
            f"no images in {folder}: it is empty",
            next_step="`foldproof data pull` fetches versioned images, `foldproof data add PATH` versions new ones",
        )
    return DataError(
        f"no images in {folder}: expected a folder for each class, with images in it",
        next_step=f"for instance {folder.name}/cat/1.jpg; files that count end in {', '.join(sorted(suffixes()))}",
    )


def _grouping(group_by: str | None) -> Grouping:
    if group_by is None:
        return lambda path: ""  # noqa: ARG005
    if group_by == "parent":
        return lambda path: "/".join(PurePosixPath(path).parts[1:-1])
    try:
        expression = re.compile(group_by)
    except re.error as error:
        raise SettingsError(
            f"data.group_by is not a regular expression: {error}", next_step=f"mend it: {group_by!r}; or use 'parent'"
        ) from None

    def search(path: str) -> str:
        match = expression.search(path)
        group = (match[1] if expression.groups else match[0]) if match else None
        if not group:
            raise DataError(
                f"data.group_by finds no group in {path}",
                next_step=f"make the expression {group_by!r} match every image, or move this one away",
            )
        return group

    return search


def hash_files(folder: Path, paths: Sequence[str]) -> Mapping[str, Hashes]:
    """Both hashes of each file, by its path relative to `folder`. Raises DataError for one that cannot be read."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda chunk: {path: _hash(folder / path) for path in chunk}, chunks)
        return {path: hashes for some in found for path, hashes in some.items()}


def _hash(path: Path) -> Hashes:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(1 << 20):
                md5.update(block)
                sha256.update(block)
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}", next_step="mend its permissions, or do the same again"
        ) from error
    return Hashes(md5.hexdigest(), sha256.hexdigest())
