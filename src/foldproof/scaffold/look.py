"""A folder in; where its images are, how they are labelled and how large they are, out. Decodes nothing."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import PIL.Image

from foldproof.data.furniture import is_furniture
from foldproof.data.labels.copies import COPIES, copies_of
from foldproof.data.labels.from_path import labelling
from foldproof.data.labels.from_table import TableSaid, said_by_table
from foldproof.data.labels.masks import masks_among
from foldproof.data.labels.parts import (
    Part,
    are_parts,
    copy_in_itself,
    holds_parts,
    lies_in_no_class,
    part_of,
    parts_in_classes,
    parts_of,
    test_among,
)
from foldproof.data.labels.said import Said
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.tables.table import SUFFIXES
from foldproof.data.unread import counted, why_unread
from foldproof.data.walk import Kind, walk
from foldproof.errors import DamagedFile, FoldproofError, OtherTask
from foldproof.scaffold.class_names import class_names
from foldproof.scaffold.groups import Candidate, candidate_of
from foldproof.scaffold.names import label_in_names, stands_in_one_folder
from foldproof.scaffold.other_tasks import refuse_other_tasks
from foldproof.storage import cleaned, read_file
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
    `classes`: names for the labels, from the file `names_in`; `left_alone`: images that it does not name,
    by the folder they begin with.
    `exclude`: as the setting, what is neither labelled nor a part; `masks`: how many images are masks of others;
    `beside`: other parts of the data set, which are not trained on.
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
    exclude: Sequence[str] = ()
    masks: int = 0
    beside: Sequence[str] = ()
    sizes: Sequence[tuple[int, int]] = ()
    candidate: Candidate | None = None
    classes: Mapping[str, str] | None = None
    names_in: str = ""
    left_alone: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def grouped(self) -> str:
        """What the groups are, for a person."""
        if self.group_by == COPIES:
            return f"{self.groups} pictures by name, of which these are copies"
        return f"{self.groups} groups by the folder {'above' if self.label_by else 'below'} the class"

    @property
    def images(self) -> int:
        return sum(self.count_by_class.values())

    @property
    def in_words(self) -> tuple[str, ...]:
        """What was guessed, by what evidence, and the setting that says otherwise."""
        said = []
        if self.table:
            said.append(f"labels: {self.note}; data.labels and data.columns say otherwise")
        elif self.note:
            said.append(f"labels: {self.note} ({some(self.count_by_class)}); data.label_by says otherwise")
        if self.classes:
            said.append(f"names of classes: {self.names_in}; data.classes says otherwise")
        if self.left_alone:
            said.append(f"not labelled, left alone: {some(self.left_alone)}")
        return tuple(said)


def look(folder: Path) -> Look | None:
    """The images of a project in `folder`; None where there are none yet.

    Raises OtherTask where nothing but a table or a layout for another task says what they are.
    """
    everything: list[str] = []
    for path in _candidates(folder):
        below = list(_images(folder / path)) if (folder / path).is_dir() else []
        everything += [f"{path}/{one}" for one in below]
        seen = _labelled(folder, path, below)
        if seen is not None:
            others = {name: count for name, count in _others(folder, path) if seen.table and count}
            return replace(
                _with_parts_beside(seen, folder),
                sizes=tuple(_sizes(folder / path, below)),
                left_alone={**seen.left_alone, **others},
            )
        if Path(f"{folder / path}.dvc").is_file():
            return Look(path=path)
    _refuse_other_tasks(folder, everything)
    return None


def _with_parts_beside(seen: Look, folder: Path) -> Look:
    """Where the images are the training part, a test beside them is kept apart; other parts are only named."""
    if part_of(seen.path) is not Part.TRAINING or seen.table or seen.test:
        return seen
    parts = parts_of({path.name for path in folder.glob("*/") if _may_hold_data(path)})
    labelled = {name for name in parts if name != seen.path and _classes_in(folder / name) & seen.count_by_class.keys()}
    test = next((name for name in sorted(labelled) if parts[name] is Part.TESTING), None)
    return replace(seen, test=test, beside=tuple(name for name in parts if name not in (seen.path, test)))


def _classes_in(folder: Path) -> set[str]:
    return {path.partition("/")[0] for path in _images(folder) if "/" in path}


def look_at(folder: Path) -> Look | None:
    """How the images directly in and below `folder` are labelled; its path is ".". Raises OtherTask, as `look`."""
    below = list(_images(folder))
    seen = _labelled(folder, ".", below)
    if seen is None:
        _refuse_other_tasks(folder, below)
    return seen


def _others(folder: Path, path: str) -> Iterator[tuple[str, int]]:
    """The folders beside that of the images, such as that of a test set, and how many images are in each."""
    if path == ".":
        return
    for other in sorted(one for one in folder.glob("*/") if _may_hold_data(one)):
        if not f"{path}/".startswith(f"{other.name}/"):
            yield other.name, len(list(_images(other)))


def some(counts: Mapping[str, int]) -> str:
    """The first of them, with how many there are of each."""
    shown = [f"{cleaned(name, most=40)} {count:,}" for name, count in list(counts.items())[:6]]
    return ", ".join(shown) + (", …" if len(counts) > 6 else "")


def _labelled(folder: Path, path: str, below: Sequence[str]) -> Look | None:
    """By a table, by folders or by names, whichever says it first."""
    with suppress(OtherTask):
        if (seen := _by_table(folder, path, below)) is not None:
            return seen
    return _by_folders(path, below) or _by_names(path, below)


def _refuse_other_tasks(folder: Path, images: Sequence[str]) -> None:
    if images:
        _by_table(folder, ".", images)
        refuse_other_tasks(folder, images)


def unread_in(folder: Path) -> tuple[str, ...]:
    """Pictures below `folder` that are of a format that is not read: their number, and what to do."""
    known = suffixes()
    with suppress(FoldproofError):
        own = (entry for entry in walk(folder) if entry.kind is Kind.FILE and not entry.hidden)
        files = [entry.path for entry in own if entry.parts[0] not in NOT_DATA]
        found = counted({path: why for path in files if (why := why_unread(folder / path, known)) is not None})
        return tuple(
            f"{count:,} {suffix or 'without suffix'} ({why.format}); {why.way}"
            for suffix, (count, why, _) in found.items()
        )
    return ()


def is_images_itself(folder: Path) -> bool:
    """Whether the class folders lie directly in `folder`, which then is no place for a project.

    Not where a table there labels the images: such folders are parts of a set, as those of a competition.
    """
    found = {path.name for path in folder.glob("*/") if _may_hold_data(path) and _holds_images(path.glob("*.*"))}
    is_project = any((folder / name).exists() for name in (".git", ".dvc"))
    return len(found) > 1 and not is_project and not _is_labelled_by_table(folder)


def _is_labelled_by_table(folder: Path) -> bool:
    try:
        return _by_table(folder, ".", list(_images(folder))) is not None
    except OtherTask:
        return True


def _candidates(folder: Path) -> Iterator[str]:
    below = sorted(path for path in folder.glob("*/") if _may_hold_data(path))
    deeper = sorted(path for parent in below for path in parent.glob("*/") if _may_hold_data(path))
    versioned = sorted(path.with_suffix("") for path in folder.glob("*.dvc") if _records_a_folder(path))
    whole = [path for path in below if are_parts({part.name for part in path.glob("*/")})]
    likely = [folder / name for name in LIKELY]
    parts = parts_of({path.name for path in below})
    trained = [path for path in below if parts.get(path.name) is Part.TRAINING]
    held = {path for path in below if parts.get(path.name, Part.TRAINING) is not Part.TRAINING} if trained else set()
    ordered = [path for path in (*whole, *likely, *trained, *below, *deeper, *versioned) if path not in held]
    for path in dict.fromkeys([*ordered, *held]):
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
    is_own = not path.name.startswith(".") and not is_furniture(path.name)
    return is_own and path.name not in NOT_DATA and not path.is_symlink()


def _holds_images(files: Iterable[Path]) -> bool:
    known = suffixes()
    return any(suffix_of(file.name) in known for file in files)


def _images(folder: Path) -> Iterator[str]:
    known = suffixes()
    with suppress(FoldproofError):
        for entry in walk(folder):
            is_file = entry.kind in (Kind.FILE, Kind.LINK) and not entry.hidden
            if is_file and why_unread(folder / entry.path, known) is None:
                yield entry.path


def _by_table(folder: Path, path: str, below: Sequence[str]) -> Look | None:
    """A table that names most of the images, by columns that are recognised.

    Raises OtherTask where no table does and one is for another task.
    """
    found = [file for where in (folder, folder / path, (folder / path).parent) for file in sorted(where.glob("*.*"))]
    tables = [file for file in dict.fromkeys(found) if file.suffix.lower() in SUFFIXES and _may_label(file)]
    refused: OtherTask | None = None
    for table in tables[:_MOST_TABLES]:
        try:
            seen = said_by_table(table, {}, below, folder=folder / path)
        except OtherTask as error:
            refused = refused or error
            continue
        except FoldproofError:
            continue
        named = {*seen.said, *seen.without_label}
        if seen.said and len(named) >= _ENOUGH * len(_beside(named, below)):
            made = _of_table(path, table, folder, seen)
            return made and replace(made, left_alone=_left_alone(path, below, seen))
    if refused is not None:
        raise refused
    return None


def _left_alone(path: str, below: Sequence[str], seen: TableSaid) -> Mapping[str, int]:
    """How many images have no label, by the folder that they lie in."""
    tops = Counter(_top(one) for one in below if one not in seen.said)
    return {path if top == "." else top: count for top, count in tops.items()}


def _may_label(table: Path) -> bool:
    """Not what foldproof writes, nor the example of an answer that comes with a competition."""
    return table.name not in OURS and "submission" not in table.stem.lower()


def _beside(said: Collection[str], below: Sequence[str]) -> list[str]:
    """The images that lie in the folders of those a table names: others, such as a test set, it need not name."""
    tops = {_top(path) for path in said}
    return [path for path in below if _top(path) in tops]


def _top(path: str) -> str:
    return path.partition("/")[0] if "/" in path else "."


def _of_table(path: str, file: Path, folder: Path, seen: TableSaid) -> Look | None:
    splits = {one.split for one in seen.said.values() if one.split}
    test = test_among(splits) if are_parts(splits) else None
    trained = [one for one in seen.said.values() if test is None or one.split != test]
    labels = Counter(one.label for one in trained)
    if len(labels) < 2:
        return None
    classes, names_in = class_names(file, labels)
    return Look(
        path=path,
        count_by_class=Counter({classes.get(label, label): count for label, count in labels.items()}),
        classes=classes or None,
        names_in=names_in,
        table=file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file.resolve()),
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
    masks = masks_among(below)
    images = [one for one in below if one not in masks]
    seen = _by_parts(path, images) if holds_parts(images) else _by_classes(path, images)
    return seen and replace(seen, masks=len(masks))


def _by_parts(path: str, below: Sequence[str]) -> Look | None:
    """Parts of a data set such as train and test, each with class folders; what is none, or has none, is left out."""
    parts = parts_of({one.partition("/")[0] for one in below if "/" in one})
    held = {top for top, part in parts.items() if part is Part.TESTING}
    labelled = [one for one in below if one.partition("/")[0] in parts and not lies_in_no_class(one)]
    trained = [one for one in labelled if one.partition("/")[0] not in held]
    count = Counter(one.split("/")[-2] for one in trained)
    if len(count) < 2:
        return None
    test = [one for one in labelled if one.partition("/")[0] in held]
    tops = {one.partition("/")[0] for one in below if "/" in one}
    copies = copies_of(trained)
    return Look(
        path=path,
        label_by="parent",
        group_by=COPIES if copies else None,
        groups=copies,
        test="/".join([path, *_around([one.split("/")[:-2] for one in test])]) if test else None,
        exclude=tuple(sorted(tops - {one.partition("/")[0] for one in labelled})),
        count_by_class=count,
    )


def _around(folders: Sequence[Sequence[str]]) -> list[str]:
    """The folders that all have in common, from the first on."""
    common: list[str] = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return common


def _by_classes(path: str, below: Sequence[str]) -> Look | None:
    parts = [PurePosixPath(one).parts for one in below]
    deep = [one for one in parts if len(one) > 2]
    if copy := copy_in_itself([one for one in below if "/" in one]):
        others = {one for one in below if not one.startswith(f"{copy}/")}
        if all(one.removeprefix(f"{copy}/") in others for one in below if one not in others):
            without = _by_classes(path, sorted(others))
            return without and replace(without, exclude=(*without.exclude, copy))
        return Look(path=path, label_by="parent", count_by_class=Counter(one[-2] for one in parts if len(one) > 1))
    if inner := parts_in_classes([one for one in below if "/" in one]):
        test = test_among(inner)
        kept = [one for one in deep if one[1] != test]
        exclude = (f"*/{test}",) if test else ()
        return Look(path=path, label_by="top", exclude=exclude, count_by_class=Counter(one[0] for one in kept))
    if _classes_below_groups(deep, parts):
        count = Counter(one[-2] for one in deep)
        groups = len({one[:-2] for one in deep})
        return Look(path=path, label_by="parent", group_by="parent", groups=groups, count_by_class=count)
    count = Counter(one[0] for one in parts if len(one) > 1)
    if len(count) < 2:
        return None
    if copies := copies_of(below):
        return Look(path=path, count_by_class=count, group_by=COPIES, groups=copies)
    groups = len({one[1:-1] for one in deep})
    by_folder = "parent" if len(deep) == len(parts) and groups > 1 else None
    candidate = None if by_folder else candidate_of(below)
    return Look(
        path=path, count_by_class=count, group_by=by_folder, groups=groups if by_folder else 0, candidate=candidate
    )


def _by_names(path: str, below: Sequence[str]) -> Look | None:
    """Classes at the beginning of the names, where no folder says any."""
    pattern = label_in_names(below) if stands_in_one_folder(below) else None
    if pattern is None:
        return None
    label_of = labelling(pattern)
    count = Counter(map(label_of, below))
    return Look(path=path, count_by_class=count, label_by=pattern, note="the class stands in the file's name")


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
