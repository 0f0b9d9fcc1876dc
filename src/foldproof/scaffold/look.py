"""A folder in; where its images are, how they are labelled and how large they are, out. Decodes nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import PIL.Image

from foldproof.data.labels.from_table import TableSaid, said_by_table
from foldproof.data.labels.said import TESTING, Said, are_parts
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.tables.table import SUFFIXES
from foldproof.data.walk import Kind, walk
from foldproof.errors import DamagedFile, FoldproofError
from foldproof.registry import SEAMS
from foldproof.scaffold.groups import Candidate, candidate_of
from foldproof.storage import read_file
from foldproof.storage.limits import DVC_FILE_BYTES

LIKELY = ("data/train", "train", "data", "images", "photos", "dataset")
OURS = frozenset({"folds.csv", "excluded.csv"})
NOT_DATA = frozenset({"runs", "mlruns", "mlartifacts", "venv", "node_modules", "__pycache__", "report_files", "plots"})
_SAMPLED = 200  # images whose size is read
_MOST_TABLES = 5
_MOST_FOLDS = 20  # that a column called fold or the like can mean
_ENOUGH = 0.8  # of the images, that a table must name to be theirs


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen. `path`: the folder of images, relative; `sizes`: width and height in pixels of some of them.

    `label_by`, `group_by`, `table`, `columns` and `test` are as the settings of these names; `groups`: how many there
    are by folders or the table; `folds`: how many a column of it numbers; `candidate`: what names may say of groups.
    """

    path: str
    count_by_class: Mapping[str, int] = field(default_factory=dict)
    label_by: str | None = None
    group_by: str | None = None
    groups: int = 0
    folds: int = 0
    table: str | None = None
    columns: Mapping[str, str] | None = None
    test: str | None = None
    sizes: Sequence[tuple[int, int]] = ()
    candidate: Candidate | None = None
    note: str = ""

    @property
    def images(self) -> int:
        return sum(self.count_by_class.values())


def look(folder: Path) -> Look | None:
    """The images of a project in `folder`; None where there are none yet."""
    for path in _candidates(folder):
        below = list(_images(folder / path)) if (folder / path).is_dir() else []
        seen = _by_table(folder, path, below) or _by_folders(path, below)
        if seen is not None:
            return replace(seen, sizes=tuple(_sizes(folder / path, below)))
        if Path(f"{folder / path}.dvc").is_file():
            return Look(path=path)
    return None


def look_at(folder: Path) -> Look | None:
    """How the images directly in and below `folder` are labelled; its path is "."."""
    below = list(_images(folder))
    return _by_table(folder, ".", below) or _by_folders(".", below)


def is_images_itself(folder: Path) -> bool:
    """Whether the class folders lie directly in `folder`, which then is no place for a project."""
    found = {path.name for path in folder.glob("*/") if _may_hold_data(path) and _holds_images(path.glob("*.*"))}
    return len(found) > 1 and not any((folder / name).exists() for name in (".git", ".dvc"))


def _candidates(folder: Path) -> Iterator[str]:
    below = sorted(path for path in folder.glob("*/") if _may_hold_data(path))
    deeper = sorted(path for parent in below for path in parent.glob("*/") if _may_hold_data(path))
    versioned = sorted(path.with_suffix("") for path in folder.glob("*.dvc") if _records_a_folder(path))
    whole = [path for path in below if are_parts({part.name for part in path.glob("*/")})]
    likely = [folder / name for name in LIKELY]
    for path in dict.fromkeys([*whole, *likely, *below, *deeper, *versioned]):
        if path.is_dir() or Path(f"{path}.dvc").is_file():
            yield path.relative_to(folder).as_posix()


def _records_a_folder(file: Path) -> bool:
    """Whether a `.dvc` file is of a folder and not of a file: DVC ends the hash of one with `.dir`."""
    try:
        content = read_file(file, most_bytes=DVC_FILE_BYTES)
    except (OSError, DamagedFile):
        return False
    return bool(re.search(rb"^\W*md5:\s*[0-9a-f]{32}\.dir\s*$", content, re.MULTILINE))


def _may_hold_data(path: Path) -> bool:
    return not path.name.startswith(".") and path.name not in NOT_DATA and not path.is_symlink()


def _holds_images(files: Iterable[Path]) -> bool:
    return any(file.suffix.lower() in SEAMS["readers"] for file in files)


def _images(folder: Path) -> Iterator[str]:
    known = suffixes()
    with suppress(FoldproofError):
        for entry in walk(folder):
            if entry.kind in (Kind.FILE, Kind.LINK) and not entry.hidden and suffix_of(entry.path) in known:
                yield entry.path


def _by_table(folder: Path, path: str, below: Sequence[str]) -> Look | None:
    """A table that names most of the images, by columns that are recognised."""
    found = [file for where in (folder, folder / path, (folder / path).parent) for file in sorted(where.glob("*.*"))]
    tables = [file for file in dict.fromkeys(found) if file.suffix.lower() in SUFFIXES and file.name not in OURS]
    for table in tables[:_MOST_TABLES]:
        with suppress(FoldproofError):
            seen = said_by_table(table, {}, below, folder=folder / path)
            if below and seen.named >= _ENOUGH * len(below):
                return _of_table(path, table.relative_to(folder).as_posix(), seen)
    return None


def _of_table(path: str, table: str, seen: TableSaid) -> Look | None:
    splits = {one.split for one in seen.said.values() if one.split}
    test = next((split for split in sorted(splits) if split.lower() in TESTING), None) if are_parts(splits) else None
    trained = [one for one in seen.said.values() if test is None or one.split != test]
    labels = Counter(one.label for one in trained)
    if len(labels) < 2:
        return None
    return Look(
        path=path,
        count_by_class=labels,
        table=table,
        columns={"split": ""} if are_parts(splits) and test is None else None,
        groups=len({one.group for one in trained if one.group}),
        folds=_folds(trained),
        test=test,
        note="; ".join(seen.notes),
    )


def _folds(trained: Sequence[Said]) -> int:
    """How many folds a column numbers, where it names a few and one for every image."""
    folds = {one.fold for one in trained}
    return len(folds) if "" not in folds and 2 <= len(folds) <= _MOST_FOLDS else 0


def _by_folders(path: str, below: Sequence[str]) -> Look | None:
    parts = [PurePosixPath(one).parts for one in below]
    tops = {one[0] for one in parts if len(one) > 1}
    if are_parts(tops):
        test = next((top for top in sorted(tops) if top.lower() in TESTING), None)
        inner = [one for one in parts if len(one) > 2 and one[0] != test]
        count = Counter(one[-2] for one in inner)
        if len(count) < 2:
            return None
        return Look(path=path, label_by="parent", test=test and f"{path}/{test}", count_by_class=count)
    deep = [one for one in parts if len(one) > 2]
    if _classes_below_groups(deep, parts):
        count = Counter(one[-2] for one in deep)
        groups = len({one[:-2] for one in deep})
        return Look(path=path, label_by="parent", group_by="parent", groups=groups, count_by_class=count)
    count = Counter(one[0] for one in parts if len(one) > 1)
    if len(count) < 2:
        return None
    groups = len({one[1:-1] for one in deep})
    by_folder = "parent" if len(deep) == len(parts) and groups > 1 else None
    candidate = None if by_folder else candidate_of(below)
    return Look(
        path=path, count_by_class=count, group_by=by_folder, groups=groups if by_folder else 0, candidate=candidate
    )


def _classes_below_groups(deep: Sequence[tuple[str, ...]], parts: Sequence[tuple[str, ...]]) -> bool:
    """Whether folders such as patients hold the same few class folders again and again."""
    if not deep or len(deep) < _ENOUGH * len(parts):
        return False
    inner = {one[-2] for one in deep}
    outer = {one[:-2] for one in deep}
    pairs = {(one[:-2], one[-2]) for one in deep}
    return 1 < len(inner) < len(outer) and len(pairs) > 1.5 * len(outer)


def _sizes(folder: Path, below: Sequence[str]) -> Iterator[tuple[int, int]]:
    step = max(1, len(below) // _SAMPLED)
    for path in below[::step][:_SAMPLED]:
        with suppress(Exception), PIL.Image.open(folder / path) as picture:  # a bad file is the check's to name
            yield picture.size
