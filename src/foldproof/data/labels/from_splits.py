"""Read predefined folds from a file, for the images that are present.

A CSV or parquet file has a row an image, with its path and fold. nnU-Net's `splits_final.json` is a list of folds, each
with the names of its `train` and its `val` cases.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foldproof.data.labels.names import Names
from foldproof.data.tables.table import read_table
from foldproof.data.tables.usual import USUAL, usual_column
from foldproof.errors import DataError
from foldproof.storage import parse_json, read_file
from foldproof.storage.limits import SPLITS_BYTES
from foldproof.storage.nowhere import likely_name, why_no_path


def folds_in(file: Path, paths: Sequence[str], *, folder: Path) -> Mapping[str, str]:
    """The fold of each image of `paths` that `file` names; "-1" for one that trains in all folds.

    Raises DataError where it is no such file, or says two things of one image.
    """
    names = Names.of(paths, file=file, folder=folder)
    pairs = list(_of_json(file) if file.suffix.lower() == ".json" else _of_table(file, names))
    matched = names.match([name for _, name, _ in pairs], where=lambda row: pairs[row][0])
    found: dict[str, str] = {}
    for (where, name, fold), path in zip(pairs, matched.paths, strict=True):
        if path is not None and found.setdefault(path, fold) != fold:
            raise DataError(
                f"{where}: {name} is in fold {found[path]} and in fold {fold}", next_step="an image validates once"
            )
    return found


def _of_table(file: Path, names: Names) -> Iterator[tuple[str, str, str]]:
    table = read_table(file, is_image=names.may_name, setting="folds.file")
    places = {}
    for role in ("path", "fold"):
        column = usual_column(role, table.columns)
        if not column:
            raise DataError(
                f"{table.name} has no column for the {role} of an image: it has {', '.join(table.columns) or 'none'}",
                next_step=f"call one '{role}'; known names: {', '.join(USUAL[role])}",
            )
        places[role] = table.columns.index(column)
    for row, line in zip(table.rows, table.lines, strict=True):
        yield f"{table.name}, line {line}", row[places["path"]], row[places["fold"]]


def _of_json(file: Path) -> Iterator[tuple[str, str, str]]:
    parts = _read_json(file)
    validates: dict[str, str] = {}
    everybody: dict[str, None] = {}
    for number, part in enumerate(parts):
        everybody.update(dict.fromkeys([*part["train"], *part["val"]]))
        for name in part["val"]:
            if name in validates:
                raise DataError(
                    f"{file.name}: {name} validates in fold {validates[name]} and in fold {number}",
                    next_step="an image validates once",
                )
            validates[name] = str(number)
    for number, part in enumerate(parts):
        lacking = everybody.keys() - set(part["train"]) - set(part["val"])
        both = set(part["train"]) & set(part["val"])
        if lacking or both:
            what = "is neither in train nor in val" if lacking else "is in train and in val"
            raise DataError(
                f"{file.name}, fold {number}: {min(lacking or both)} {what}",
                next_step="foldproof trains on all images that do not validate: name each once in every fold",
            )
    for name in everybody:
        yield file.name, name, validates.get(name, "-1")


def _read_json(file: Path) -> list[Mapping[str, list[str]]]:
    try:
        content: Any = parse_json(read_file(file, most_bytes=SPLITS_BYTES))
    except OSError as error:
        what, way = why_no_path(file) or (f"{error.strerror}; {likely_name(file)}".strip("; "), "fix the path")
        raise DataError(f"folds.file: {file} cannot be read: {what}", next_step=way) from error
    except ValueError as error:
        raise DataError(f"{file.name} is not JSON: {error}", next_step="name nnU-Net's splits_final.json") from error
    known = isinstance(content, list) and content and all(_is_fold(part) for part in content)
    if not known:
        raise DataError(
            f"{file.name} is no list of folds, each with the names in 'train' and in 'val'",
            next_step="as nnU-Net's splits_final.json; or write a CSV with the columns path and fold",
        )
    return list(content)


def _is_fold(part: Any) -> bool:
    return isinstance(part, dict) and all(
        isinstance(part.get(side), list) and all(isinstance(name, str) for name in part[side])
        for side in ("train", "val")
    )
