"""Guess labels from the table that names most of a folder's images."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from foldproof.data.labels.from_table import TableSaid, said_by_table
from foldproof.data.labels.masks import masks_among
from foldproof.data.labels.names import Names
from foldproof.data.labels.parts import Part, are_parts, folder_of_test, part_of, test_among
from foldproof.data.labels.said import ImageLabel
from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.table import SUFFIXES, read_table
from foldproof.data.tables.usual import has_image_suffix, usual_column
from foldproof.data.walk import some
from foldproof.errors import DataError, FoldproofError, OtherTask, UnclearTable
from foldproof.scaffold.class_names import class_names
from foldproof.scaffold.groups import candidate_of
from foldproof.scaffold.levels import PATIENT, patients_in
from foldproof.scaffold.part_tables import joined
from foldproof.scaffold.row_a_folder import names_all, refusal_of
from foldproof.scaffold.seen import ENOUGH, FolderLook

OURS = frozenset({"folds.csv", "excluded.csv"})
_MOST_TABLES = 12
_MOST_FOLDS = 20  # that a column called fold or the like can mean
_FEW = 0.1  # of the images, that a table must name to be of labels at all
_OF_TABLES = re.compile(r"labels?|annotations?|meta|metadata|csvs?|tables?|splits?|lists?|info", re.IGNORECASE)


def guess_by_table(
    folder: Path, path: str, below: Sequence[str], label: str = "", *, for_some: bool = False
) -> FolderLook | None:
    """Of the tables that name most of the images beside them, by columns that are recognised or with the one called
    `label`: that of the training part first, then the one that names most.

    `for_some`: all images that a table names are enough, be there others in their folder. Raises OtherTask or
    UnclearTable where no table labels them and one is for another task or is not clear, and DataError where none has
    the column `label`.
    """
    masks = masks_among(below)
    below = [one for one in below if one not in masks]
    given = {"label": label} if label else {}
    tables = _tables(folder, path, below)
    read, refused = _read(tables, given, below, folder / path)
    found = {table: seen for table, seen in read.items() if _names_enough(seen, below, for_some=for_some)}
    for table in sorted(found, key=lambda one: (_rank(one), -len(found[one].said))):
        seen = found[table]
        if (made := _of_table(path, table, folder, seen, given)) is not None:
            left_alone, differing = _left_alone(path, below, seen), _differing(table, found)
            return replace(made, left_alone=left_alone, note="; ".join([made.note, *differing]))
    if not found and (parts := _joined(read, folder, below)) is not None:
        raise parts
    if refused:
        raise refused[0]
    if label:
        raise DataError(
            f"no table in {folder} names the images and has a column '{label}'",
            next_step=f"tables there: {some([table.name for table in tables]) or 'none'}",
        )
    return None


def _read(
    tables: Sequence[Path], given: Mapping[str, str], below: Sequence[str], images: Path
) -> tuple[Mapping[Path, TableSaid], Sequence[DataError]]:
    """What the tables say of some of the images, and what stands against those that are for something else."""
    found: dict[Path, TableSaid] = {}
    refused: list[DataError] = []
    for table in tables:
        try:
            seen = said_by_table(table, given, below, folder=images)
        except (OtherTask, UnclearTable) as error:
            refused.append(error)
        except FoldproofError:
            continue
        else:
            found |= {table: seen} if seen.said else {}
    return found, refused


def _names_enough(seen: TableSaid, below: Sequence[str], *, for_some: bool) -> bool:
    named = {*seen.said, *seen.without_label}
    others = _beside(named, below)
    is_for_some = for_some and not seen.lacking and len(named) >= _FEW * len(others)
    return is_for_some or len(named) >= ENOUGH * len(others)


def _joined(read: Mapping[Path, TableSaid], folder: Path, below: Sequence[str]) -> DataError | None:
    labelled = {table: {*seen.said, *seen.without_label} for table, seen in read.items()}
    named = {image for images in labelled.values() for image in images}
    least = math.ceil(ENOUGH * len(_beside(named, below)))
    headed = [table for table, seen in read.items() if seen.has_header]
    return joined(labelled, folder=folder, least=least, headed=headed)


def why_unused(folder: Path, images: Sequence[str]) -> Iterator[tuple[str, FoldproofError]]:
    """Tables that name most of the images, or whose rows are images for the most part, and why they label none."""
    for file in _tables(folder, ".", images):
        try:
            table, named = _read_counting(file, images, folder)
            if named > len(table.rows) / 2:
                said_by_table(file, {}, images, folder=folder)
        except FoldproofError as error:
            yield file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file), error


def groups_unused(folder: Path, path: str, below: Sequence[str]) -> str:
    """What is lost where a table says the groups of images that folders label; empty without such a table."""
    for file in _tables(folder, path, below):
        with suppress(FoldproofError):
            table, named = _read_counting(file, below, folder / path)
            column = usual_column("group", table.columns)
            if column and named >= ENOUGH * len(below):
                return (
                    f"{column} in {table.name} is not used, since it says no class that is understood: images of one "
                    "may be in several folds; with a column of classes in it, data.labels: "
                    f"{table.name} keeps them together"
                )
    return ""


def _read_counting(file: Path, images: Sequence[str], folder: Path) -> tuple[LabelTable, int]:
    """A table, and in how many of its rows the column that names most of the images names one."""
    names = Names.of(images, file=file, folder=folder)
    table = read_table(file, is_image=names.may_name)
    columns = zip(*table.rows, strict=True)
    return table, max((sum(bool(names.knows(cell)) for cell in cells) for cells in columns), default=0)


def refuse_groups(folder: Path, path: str, folders: Collection[str], refused: DataError | None) -> None:
    """Raises DataError where a table says that `folders` are patients or the like: `refused`, what stands against the
    tables of the images, or that one has a row a folder.
    """
    for file in _tables(folder, path, ()):
        table = None
        with suppress(FoldproofError):
            table = read_table(file, is_image=has_image_suffix)
        if table is None or not names_all(table, folders):
            continue
        if refused is not None:
            raise refused
        named = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
        if (error := refusal_of(table, named, folders, path)) is not None:
            raise error


def _tables(folder: Path, path: str, images: Sequence[str]) -> Sequence[Path]:
    """Tables that may say labels: in the folder, with the images, above them, then in labels/ and the like."""
    around = (folder, folder / path, (folder / path).parent)
    beside = [one for where in around for one in sorted(where.glob("*/")) if _OF_TABLES.fullmatch(one.name)]
    found = [file for where in (*around, *beside) for file in sorted(where.glob("*.*"))]
    tables = [file for file in dict.fromkeys(found) if file.suffix.lower() in SUFFIXES and _may_label(file)]
    stems = {Path(image).stem for image in images}
    tables = [file for file in tables if file.stem not in stems]  # which is of the one image that is called so
    return sorted(tables, key=_rank)[:_MOST_TABLES]


def _rank(table: Path) -> int:
    """A table of the training part comes before others, one of another part after them."""
    part = part_of(table.stem)
    return 0 if part is Part.TRAINING else 1 if part is None else 2


def _differing(chosen: Path, found: Mapping[Path, TableSaid]) -> Iterator[str]:
    """Other tables that label the same images, and not the same but for the names of classes."""
    taken = found[chosen].said
    for table, seen in found.items():
        pairs = Counter((taken[path].label, one.label) for path, one in seen.said.items() if path in taken)
        ours, theirs = ({pair[side] for pair in pairs} for side in (0, 1))
        if len(pairs) == len(ours) == len(theirs):
            continue
        differ = sum(count for (one, other), count in pairs.items() if one != other)
        classes = "" if ours == theirs else f", by {len(theirs):,} classes"
        yield f"{table.name} labels {differ:,} of {pairs.total():,} otherwise{classes}: data.labels chooses"


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


def _of_table(path: str, file: Path, folder: Path, seen: TableSaid, given: Mapping[str, str]) -> FolderLook | None:
    splits = {one.split for one in seen.said.values() if one.split}
    test = test_among(splits) if are_parts(splits) else None
    apart = None if splits else folder_of_test(seen.said)
    images = {
        name: one
        for name, one in seen.said.items()
        if (test is None or one.split != test) and not (apart and name.startswith(f"{apart}/"))
    }
    trained = list(images.values())
    labels = Counter(one.label for one in trained)
    if len(labels) < 2:
        return None
    classes, names_in = class_names(file, labels)
    groups = len({one.group for one in trained if one.group})
    patients = () if groups else patients_in(list(images))
    return FolderLook(
        path=path,
        count_by_class=Counter({classes.get(label, label): count for label, count in labels.items()}),
        classes=classes or None,
        names_in=names_in,
        table=file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file.resolve()),
        columns={**given, **({"split": ""} if are_parts(splits) and test is None else {})} or None,
        groups=groups or len(patients),
        group_by=PATIENT if patients else None,
        group_example=min(patients, default=""),
        candidate=None if groups or patients else candidate_of(list(images), [one.label for one in trained]),
        folds=_folds(trained),
        test=f"{path}/{apart}" if apart else test,
        note="; ".join(seen.notes),
    )


def _folds(trained: Sequence[ImageLabel]) -> int:
    """How many folds a column numbers, where it names a few and one for every image."""
    folds = {one.fold for one in trained}
    return len(folds) if "" not in folds and 2 <= len(folds) <= _MOST_FOLDS else 0
