"""A folder, its tables and its images in; how the table that names most of them labels them, out."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from foldproof.data.labels.from_table import TableSaid, said_by_table
from foldproof.data.labels.parts import are_parts, test_among
from foldproof.data.labels.said import Said
from foldproof.data.tables.table import SUFFIXES
from foldproof.data.walk import some
from foldproof.errors import DataError, FoldproofError, OtherTask, UnclearTable
from foldproof.scaffold.class_names import class_names
from foldproof.scaffold.groups import candidate_of
from foldproof.scaffold.levels import PATIENT, patients_in
from foldproof.scaffold.part_tables import joined
from foldproof.scaffold.seen import ENOUGH, Look

OURS = frozenset({"folds.csv", "excluded.csv"})
_MOST_TABLES = 12
_MOST_FOLDS = 20  # that a column called fold or the like can mean


def by_table(folder: Path, path: str, below: Sequence[str], label: str = "") -> Look | None:
    """Of the tables that name most of the images beside them, by columns that are recognised or with the one called
    `label`, the one that names most.

    Raises OtherTask or UnclearTable where no table labels them and one is for another task or is not clear, and
    DataError where none has the column `label`.
    """
    found = [file for where in (folder, folder / path, (folder / path).parent) for file in sorted(where.glob("*.*"))]
    tables = [file for file in dict.fromkeys(found) if file.suffix.lower() in SUFFIXES and _may_label(file)]
    given = {"label": label} if label else {}
    refused: DataError | None = None
    most: tuple[int, Look | None] = (0, None)
    in_part: dict[Path, TableSaid] = {}
    for table in tables[:_MOST_TABLES]:
        try:
            seen = said_by_table(table, given, below, folder=folder / path)
        except (OtherTask, UnclearTable) as error:
            refused = error if refused is None else refused
            continue
        except FoldproofError:
            continue
        named = {*seen.said, *seen.without_label}
        if seen.said and len(named) > most[0] and len(named) >= ENOUGH * len(_beside(named, below)):
            made = _of_table(path, table, folder, seen, given)
            most = len(named), made and replace(made, left_alone=_left_alone(path, below, seen))
        elif seen.said:
            in_part[table] = seen
    if most[0]:
        return most[1]
    if (parts := _joined(in_part, folder, below)) is not None:
        raise parts
    if refused is None and label:
        refused = DataError(
            f"no table in {folder} names the images and has a column '{label}'",
            next_step=f"tables there: {some([table.name for table in tables]) or 'none'}",
        )
    if refused is not None:
        raise refused
    return None


def _joined(in_part: Mapping[Path, TableSaid], folder: Path, below: Sequence[str]) -> DataError | None:
    labelled = {table: {*seen.said, *seen.without_label} for table, seen in in_part.items()}
    named = {image for images in labelled.values() for image in images}
    least = math.ceil(ENOUGH * len(_beside(named, below)))
    headed = [table for table, seen in in_part.items() if seen.has_header]
    return joined(labelled, folder=folder, least=least, headed=headed)


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


def _of_table(path: str, file: Path, folder: Path, seen: TableSaid, given: Mapping[str, str]) -> Look | None:
    splits = {one.split for one in seen.said.values() if one.split}
    test = test_among(splits) if are_parts(splits) else None
    images = {path: one for path, one in seen.said.items() if test is None or one.split != test}
    trained = list(images.values())
    labels = Counter(one.label for one in trained)
    if len(labels) < 2:
        return None
    classes, names_in = class_names(file, labels)
    groups = len({one.group for one in trained if one.group})
    patients = () if groups else patients_in(list(images))
    return Look(
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
        test=test,
        note="; ".join(seen.notes),
    )


def _folds(trained: Sequence[Said]) -> int:
    """How many folds a column numbers, where it names a few and one for every image."""
    folds = {one.fold for one in trained}
    return len(folds) if "" not in folds and 2 <= len(folds) <= _MOST_FOLDS else 0
