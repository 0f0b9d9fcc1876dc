"""Walk an image folder into a `Dataset`: a class a subfolder; what is not used is reported with its reason."""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from foldproof.data.dataset import Dataset, Sample
from foldproof.data.examine import Hashes, Picture, Trouble, examine_file
from foldproof.data.exclusions import Exclusion, Exclusions
from foldproof.data.index import Index
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.survey import Survey, Surveyed, survey
from foldproof.data.walk import Entry, Kind, walk
from foldproof.errors import DataError, SettingsError

THREADS = 8  # more than cores: a folder may lie on a network drive
CHUNK = 64  # files a thread takes at once
CHECKPOINTS = frozenset({".ipynb_checkpoints", "__pycache__", ".AppleDouble", "__MACOSX"})
TRAINING = frozenset({"train", "training"})
PARTS = TRAINING | {"val", "valid", "validation", "dev", "test", "testing"}

Grouping: TypeAlias = Callable[[str], str]
Choice: TypeAlias = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Ignored:
    """A file or folder that is not part of the dataset, and why. `code` is that of the finding it amounts to."""

    path: str
    reason: str
    code: str = field(default="ignored", compare=False)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is in an image folder.

    `dataset`: the images that can be trained on. `md5` and `sha256`: of every regular file that could be read, image or
    not, hidden or not, by path; DVC records the first. `pictures`: of the images of the dataset, by path. `troubles`:
    of files that were to be read, by path. `excluded`: images that the committed list leaves out; they have no trouble.
    `passed_over`: how many images were not chosen, and so not read.
    """

    dataset: Dataset
    md5: Mapping[str, str]
    ignored: tuple[Ignored, ...]
    pictures: Mapping[str, Picture]
    troubles: Mapping[str, Trouble]
    sha256: Mapping[str, str]
    excluded: tuple[tuple[str, Exclusion], ...]
    passed_over: int = 0


def scan(
    folder: Path,
    *,
    group_by: str | None = None,
    cache_dirs: tuple[Path, ...] = (),
    excluded: Exclusions | None = None,
    how: Survey | None = None,
    choose: Choice | None = None,
) -> Scan:
    """The images below the class folders of `folder`. Each file is read once, and not at all where the index of `how`
    knows it; without `how` everything is read and nothing remembered.

    A link to a file is followed only into a DVC cache (`.dvc/cache`, or one of `cache_dirs`), a link to a folder never.
    `group_by`: "parent" is the path between class folder and file, so that a file directly in its class has no group;
    anything else is a regular expression searched in the relative path, and the group is its first group, or all that
    it matches. `choose` makes of the paths of all images those that are looked at; then no other file is read at all.
    Raises DataError where there is nothing to train on, SettingsError for an expression that is none.
    """
    group_of = _grouping(group_by)
    entries = walk(folder)
    files = [entry.path for entry in entries if entry.kind is Kind.FILE] + _cached(folder, entries, cache_dirs)
    reasons = _reasons(entries, frozenset(files))
    images = [path for path in files if path not in reasons]
    labels, there = {label_of(path) for path in images}, len(images)
    _refuse_splits(folder, labels)
    if not images:
        raise _nothing(folder, entries)
    if choose is not None:
        images = files = list(choose(images))
    groups = {path: group_of(path) for path in images}
    found = _survey(folder, files, images, how)
    out = _excluded(images, found, excluded or {})
    samples = [
        Sample(found.hashes[path].sha256, label_of(path), path, groups[path])
        for path in images
        if path not in found.troubles and path not in out
    ]
    return Scan(
        dataset=Dataset.of(samples),
        md5={path: hashes.md5 for path, hashes in found.hashes.items()},
        ignored=tuple(sorted(_reported(entries, reasons, labels), key=lambda item: item.path)),
        pictures={sample.path: found.pictures[sample.path] for sample in samples},
        troubles={path: trouble for path, trouble in sorted(found.troubles.items()) if path not in out},
        sha256={path: hashes.sha256 for path, hashes in found.hashes.items()},
        excluded=tuple(sorted(out.items())),
        passed_over=there - len(images),
    )


def _survey(folder: Path, files: Sequence[str], images: Sequence[str], how: Survey | None) -> Surveyed:
    if how is not None:
        return survey(folder, files, images, how)
    with Index(None) as index:
        return survey(folder, files, images, Survey(index=index))


def _excluded(images: Sequence[str], found: Surveyed, excluded: Exclusions) -> dict[str, Exclusion]:
    """Images that the list names by their content and class. A file that is no longer what it was is not left out."""
    return {
        path: excluded[key]
        for path in images
        if path in found.hashes and (key := (found.hashes[path].sha256, label_of(path))) in excluded
    }


def are_parts(names: Collection[str]) -> bool:
    """Whether these names of folders are the parts of a data set, such as train and val, and no classes."""
    lower = {name.lower() for name in names}
    return len(lower) > 1 and lower <= PARTS and not lower.isdisjoint(TRAINING)


def label_of(path: str) -> str:
    """The class of an image: the folder that its path begins with."""
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
    reasons: dict[str, str] = {}
    for entry in entries:
        if reason := _reason(entry, read=entry.path in files, known=known):
            reasons[entry.path] = reason
    return reasons


def _reason(entry: Entry, *, read: bool, known: frozenset[str]) -> str:
    if entry.hidden:
        return "hidden"
    if entry.kind is Kind.FOLDER:
        return ""
    if not read:
        return str(entry.kind)
    suffix = suffix_of(entry.path)
    if suffix not in known:
        return f"no reader for '{suffix}'" if suffix else "no suffix"
    return "" if "/" in entry.path else "not in a class folder"


def _reported(entries: Sequence[Entry], reasons: Mapping[str, str], classes: Collection[str]) -> list[Ignored]:
    """A hidden folder stands for all that is in it, as does a class folder without images."""
    ignored = [
        Ignored(entry.path, reasons[entry.path], _code(entry))
        for entry in entries
        if entry.path in reasons and not any(part.startswith(".") for part in entry.parts[:-1])
    ]
    empty = [
        Ignored(entry.path, "a class folder without images")
        for entry in entries
        if entry.kind is Kind.FOLDER and "/" not in entry.path and not entry.hidden and entry.path not in classes
    ]
    return [*ignored, *empty]


def _code(entry: Entry) -> str:
    """Of the finding that an entry without a use amounts to."""
    if not CHECKPOINTS.isdisjoint(entry.parts):
        return "editor-checkpoint"
    match entry.kind:
        case Kind.NOT_UTF8:
            return "name-not-utf8"
        case Kind.SPECIAL | Kind.BROKEN_LINK:
            return "not-a-file"
        case Kind.LINK | Kind.FOLDER_LINK:
            return "link"
    return "ignored"


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
        found = pool.map(lambda chunk: {path: hash_file(folder / path) for path in chunk}, chunks)
        return {path: hashes for some in found for path, hashes in some.items()}


def hash_file(path: Path) -> Hashes:
    """Both hashes of one file. Raises DataError where it cannot be read."""
    examined = examine_file(path)
    if examined.trouble is not None or examined.hashes is None:
        said = examined.trouble.text if examined.trouble else "cannot be read"
        raise DataError(f"{path} {said}", next_step="mend its permissions, or do the same again")
    return examined.hashes
