"""Find the images of a record by their content and place them in a new folder.

An image has the name that the record gives it where that can be one below the folder, else a number in a folder whose
name stands in no record. Nothing that is there already is written to or through.
"""

import itertools
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foldproof.data.dataset import Dataset, Sample
from foldproof.data.scan import hash_files
from foldproof.data.walk import Kind, some, walk
from foldproof.errors import DamagedFile, DataError, FoldproofError
from foldproof.registry import SEAMS
from foldproof.reproduce.errors import CannotCheck
from foldproof.storage import RelativePath, create_inside, folder_for


@dataclass(frozen=True)
class Source:
    """A place where images may be: a folder that is there, or is brought when it is needed, and what to call it."""

    name: str
    bring: Callable[[], Path]


def place(dataset: Dataset, destination: Path, sources: Sequence[Source]) -> Dataset:
    """Link to or copy every image into `destination`; the same dataset with the paths that they have there.

    Sources are asked one after another, for what those before did not have. Raises CannotCheck where some are in none
    of them.
    """
    lacking = dict.fromkeys(sample.sha256 for sample in dataset.samples)
    paths = {sample.sha256: sample.path for sample in dataset.samples}
    found: dict[str, Path] = {}
    asked: list[str] = []
    for source in sources:
        if not lacking:
            break
        try:
            folder = source.bring()
        except FoldproofError as error:
            asked.append(f"{source.name} ({error.what})")
            continue
        asked.append(source.name)
        for sha256, path in _look(folder, lacking, paths):
            found[sha256] = path
            lacking.pop(sha256, None)
    if lacking:
        raise _lacks_images(dataset, lacking, asked)
    spare = _spare_folder(dataset)
    samples = [
        sample._replace(path=_put(sample, found[sample.sha256], destination, f"{spare}/{number:07d}"))
        for number, sample in enumerate(dataset.samples)
    ]
    return Dataset(tuple(samples))


def _look(folder: Path, lacking: Mapping[str, None], paths: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Images of `folder` that are wanted: where the record has them first, and then wherever they are."""
    there = [entry.path for entry in walk(folder) if entry.kind in (Kind.FILE, Kind.LINK)] if folder.is_dir() else []
    expected = {path for sha256, path in paths.items() if sha256 in lacking}
    seen = set[str]()
    for part in ([path for path in there if path in expected], [path for path in there if path not in expected]):
        if seen >= lacking.keys():
            return
        for path, sha256 in _hashes(folder, part):
            if sha256 in lacking and sha256 not in seen:
                seen.add(sha256)
                yield sha256, folder / path


def _hashes(folder: Path, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    try:
        yield from ((path, hashes.sha256) for path, hashes in hash_files(folder, paths).items())
    except DataError:  # one of them cannot be read
        for path in paths:
            with suppress(DataError):
                yield path, hash_files(folder, [path])[path].sha256


def _spare_folder(dataset: Dataset) -> str:
    """A folder's name with which no path of the dataset begins, however a file system spells it."""
    first = {part for sample in dataset.samples for part in PurePosixPath(sample.path).parts[:1]}
    taken = {unicodedata.normalize("NFC", part).casefold() for part in first}
    return next(name for number in itertools.count() if (name := f"images-{number}") not in taken)


def _put(sample: Sample, source: Path, destination: Path, spare: str) -> str:
    """Link to or copy `source`; its path in `destination`, which is that of the record where that can be one."""
    real = source.resolve()
    if (name := _named(sample)) is not None:
        with suppress(DamagedFile, OSError):  # another image is there already, or it cannot be a name here
            return _place(real, destination, name)
    return _place(real, destination, RelativePath.parse(spare + source.suffix.lower()))


def _named(sample: Sample) -> RelativePath | None:
    """The path that the record gives, where it is one below a folder and is read as what it is."""
    try:
        path = RelativePath.parse(sample.path)
    except DamagedFile:
        return None
    return path if Path(path).suffix.lower() in SEAMS["readers"] else None


def _place(real: Path, destination: Path, name: RelativePath) -> str:
    """Make `name` in `destination` lead to `real`, or a copy of it. Raises DamagedFile where something is there."""
    target = folder_for(destination, name) / name.parts[-1]
    try:
        target.symlink_to(real)  # a hard link would change the time of the user's file
    except FileExistsError:
        raise DamagedFile(f"{target} is there already", next_step="give each image a name of its own") from None
    except OSError:
        with real.open("rb") as source, create_inside(destination, name) as copy:
            shutil.copyfileobj(source, copy)
    return "/".join(name.parts)


def _lacks_images(dataset: Dataset, lacking: Mapping[str, None], asked: Sequence[str]) -> CannotCheck:
    names = [sample.path for sample in dataset.samples if sample.sha256 in lacking]
    where = {0: "not here", 1: f"not in {''.join(asked)}"}.get(len(asked), f"neither in {' nor '.join(asked)}")
    return CannotCheck(
        f"{len(lacking):,} of the {len(dataset):,} recorded images are {where}: {some(names)}",
        needed="the recorded version of the images: `foldproof data pull` in a clone of the project, or their folder",
    )
