"""Label images from a table with one row per image. Only reads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof.data.labels.columns import Roles, roles_of
from foldproof.data.labels.kinds import one_label, refuse_other_tasks
from foldproof.data.labels.names import Names
from foldproof.data.labels.said import ImageLabel
from foldproof.data.labels.spelled import groups_spelled, labels_spelled
from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.spelling import is_no_value
from foldproof.data.tables.table import read_table
from foldproof.data.walk import some
from foldproof.errors import UnclearTable
from foldproof.storage import cleaned

_MOST_NOTE = 600  # characters, of what holds names from the table


@dataclass(frozen=True, kw_only=True)
class TableSaid:
    """`said`: by path; an image with an empty label is in `without_label`. `lacking`: rows whose image is not there.

    `written`: by class, how often each spelling comes; `places`: by class, its column, where it has one of its own.
    """

    said: Mapping[str, ImageLabel]
    without_label: frozenset[str]
    lacking: tuple[str, ...]
    notes: tuple[str, ...]
    written: Mapping[str, Mapping[str, int]]
    places: Mapping[str, str]
    has_fold: bool
    has_header: bool = True


def said_by_table(
    file: Path, columns: Mapping[str, str], paths: Sequence[str], *, folder: Path, keep: Collection[str] = ()
) -> TableSaid:
    """What the table in `file` says of the images `paths` in `folder`. `keep`: labels that stay as they are written.

    Raises DataError where it is no such table; UnclearTable where it names an image twice and differently, or by a name
    that several have, or several columns could be the label; OtherTask where what it holds is no class.
    """
    names = Names.of(paths, file=file, folder=folder)
    table, made_of = one_label(read_table(file, is_image=names.may_name), columns)
    roles = roles_of(table, columns, names)
    refuse_other_tasks(table, roles.columns, columns)
    cells = {role: _cells(table, column) for role, column in roles.columns.items()}
    matched = names.match(cells["path"], where=lambda row: f"{table.name}, line {table.lines[row]}")
    labels = labels_spelled(cells["label"], keep=keep)
    cells["label"] = [labels.names[text] for text in cells["label"]]
    own = set(cells["label"]) - {""} if made_of else set()
    notes = [
        _understood(table, roles, own),
        *([made_of] if made_of else []),
        *([matched.how] if matched.how else []),
        *labels.notes,
    ]
    if "group" in cells:
        groups = groups_spelled(cells["group"], column=roles.columns["group"])
        cells["group"] = [groups.names[text] for text in cells["group"]]
        notes += groups.notes
    for role in ("fold", "split", "time"):
        if role in cells:
            cells[role] = ["" if is_no_value(text) else text for text in cells[role]]
    said: dict[str, ImageLabel] = {}
    again = 0
    asked = [role for role in cells if role != "path"]
    for row, path in enumerate(matched.paths):
        if path is None:
            continue
        one = ImageLabel(**{role: cells[role][row] for role in asked})
        if path in said:
            again += 1
            if said[path] != one:
                raise _differs(table, row, cells["path"][row], said[path], one)
        said[path] = one
    if again:
        notes.append(f"{again:,} row{'s' if again > 1 else ''} left out, alike to another of the same image")
    return TableSaid(
        said={path: one for path, one in said.items() if one.label},
        without_label=frozenset(path for path, one in said.items() if not one.label),
        lacking=tuple(text for text, path in zip(cells["path"], matched.paths, strict=True) if path is None),
        notes=tuple(
            cleaned(note, most=_MOST_NOTE) for note in (notes[0], *(f"{table.name}: {one}" for one in notes[1:]))
        ),
        written=labels.written,
        places={name: f"the column '{name}'" for name in sorted(own)},
        has_fold="fold" in roles.columns,
        has_header=table.has_header,
    )


def _cells(table: LabelTable, column: str) -> list[str]:
    place = table.columns.index(column)
    return [row[place] for row in table.rows]


def _differs(table: LabelTable, row: int, named: str, one: ImageLabel, other: ImageLabel) -> UnclearTable:
    role = next(role for role in ImageLabel._fields if getattr(one, role) != getattr(other, role))
    return UnclearTable(
        f"{table.name}, line {table.lines[row]}: {named} stands there twice, and not with the same values: {role}"
        f" '{getattr(one, role)}' and '{getattr(other, role)}'",
        next_step="keep the row that is right",
    )


def _understood(table: LabelTable, roles: Roles, own: Collection[str]) -> str:
    """`own`: columns that make up the label."""
    told = []
    for role, column in roles.columns.items():
        why = f" ({roles.reasons[role]})" if role in roles.reasons else ""
        told.append(f"{role} from '{column}'{why}" if role != column else role)
    idle = [column for column in table.columns if column and column not in {*roles.columns.values(), *own}]
    way = f"; not used: {some(idle)}" if idle else ""
    guessed = roles.reasons or any(role != column for role, column in roles.columns.items())
    way += "; data.columns says otherwise" if guessed else ""
    assumed = f"; {'; '.join(table.assumed)}" if table.assumed else ""
    return f"{table.name}, {len(table.rows):,} rows: {', '.join(told)}{way}{assumed}"
