"""A table with a row an image, and the images that are there, in; what it says of each, out. Pure but for the reading.

A row names an image by its path below the folder of images, below the folder of the table, or by its mere name, with or
without suffix, where only one image has it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foldproof.data.labels.columns import roles_of
from foldproof.data.labels.kinds import one_label, refuse_other_tasks
from foldproof.data.labels.said import Said
from foldproof.data.labels.table import Table, read_table
from foldproof.errors import DataError

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class TableSaid:
    """`said`: by path; an image with an empty label is not in it. `lacking`: rows whose image is not there."""

    said: Mapping[str, Said]
    lacking: tuple[str, ...]
    notes: tuple[str, ...]
    has_split: bool
    has_fold: bool


def said_by_table(file: Path, columns: Mapping[str, str], paths: Sequence[str], *, folder: Path) -> TableSaid:
    """What the table in `file` says of the images `paths` in `folder`.

    Raises DataError where it is no such table, names an image twice and differently, or by a name that several have.
    """
    table, made_of = one_label(read_table(file), columns)
    roles = roles_of(table.columns, columns, name=table.name)
    refuse_other_tasks(table, roles, columns)
    places = {role: table.columns.index(column) for role, column in roles.items()}
    names = Names.of(paths, prefixes=prefixes_of(file, folder))
    said: dict[str, Said] = {}
    lacking: list[str] = []
    for row, line in zip(table.rows, table.lines, strict=True):
        named = row[places["path"]]
        path = names.path_of(named, where=f"{table.name}, line {line}")
        if path is None:
            lacking.append(named)
            continue
        one = Said(**{role: row[places[role]] for role in places if role != "path"})
        if said.setdefault(path, one) != one:
            raise DataError(
                f"{table.name}, line {line}: {named} stands there twice, and not with the same values",
                next_step="keep the row that is right",
            )
    return TableSaid(
        said={path: one for path, one in said.items() if one.label},
        lacking=tuple(lacking),
        notes=tuple(note for note in (_understood(table, roles), made_of) if note),
        has_split="split" in roles,
        has_fold="fold" in roles,
    )


@dataclass(frozen=True)
class Names:
    """The images by all that a table may call them."""

    paths: frozenset[str]
    by_name: Mapping[str, tuple[str, ...]]
    by_stem: Mapping[str, tuple[str, ...]]
    prefixes: tuple[str, ...]

    @staticmethod
    def of(paths: Sequence[str], *, prefixes: Sequence[str] = ()) -> "Names":
        return Names(
            frozenset(paths),
            _grouped((PurePosixPath(path).name, path) for path in paths),
            _grouped((PurePosixPath(path).stem, path) for path in paths),
            tuple(prefixes),
        )

    def path_of(self, text: str, *, where: str) -> str | None:
        """The image meant by `text`; None where there is none. Raises DataError where several can be meant."""
        path = text.replace("\\", "/").removeprefix("./")
        if path in self.paths:
            return path
        for prefix in self.prefixes:
            if path.startswith(prefix) and path[len(prefix) :] in self.paths:
                return path[len(prefix) :]
        if "/" in path:
            return None
        found = self.by_name.get(path) or self.by_stem.get(path) or ()
        if len(found) > 1:
            raise DataError(
                f"{where}: {text} can be {', '.join(found[:_SHOWN])}{', …' if len(found) > _SHOWN else ''}",
                next_step="write the path below the folder of images",
            )
        return found[0] if found else None


def _grouped(pairs: Iterator[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, path in pairs:
        found.setdefault(name, []).append(path)
    return {name: tuple(some) for name, some in found.items()}


def prefixes_of(file: Path, folder: Path) -> tuple[str, ...]:
    """What a path may begin with that is written from the table's folder, from the one around the images, or whole."""
    images = folder.resolve()
    base = file.resolve().parent
    below = [f"{images.relative_to(base).as_posix()}/"] if images.is_relative_to(base) and images != base else []
    return tuple(dict.fromkeys([*below, f"{images.name}/", f"{images.as_posix()}/", f"{folder.as_posix()}/"]))


def _understood(table: Table, roles: Mapping[str, str]) -> str:
    told = [f"{role} from '{column}'" if role != column else role for role, column in roles.items()]
    return f"{table.name}, {len(table.rows):,} rows: {', '.join(told)}"
