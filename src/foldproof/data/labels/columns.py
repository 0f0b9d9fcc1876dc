"""Choose which column of a table is the path, the label, the group and so on, given the images. Pure.

The path is the column whose cells name images. The label is a column of a usual name, else the one column with few
values; where several could be it, that is asked. `data.columns` names others, or takes a role away by an empty text.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foldproof.data.labels.kinds import cells_of, is_measured, measured_value, names_the_label
from foldproof.data.labels.names import Names
from foldproof.data.labels.parts import are_parts
from foldproof.data.labels.said import ROLES
from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.spelling import is_no_value, key_of
from foldproof.data.tables.usual import NEVER_LABELS, has_image_suffix, plain_name, usual_column, usual_columns
from foldproof.errors import DataError, UnclearTable, nearest

_SAMPLED = 1000  # rows that are looked at
_LEAST = 0.5  # of them, that have to name an image each
_VARIED = 0.2  # of them, that have to differ in a column of names
_NEARLY = 0.9  # of what the column names that names most
_FEW_NUMBERS = 10  # that can be classes wherever they lie
_MOST_CLASSES = 1000
_MOST_PARTS = 6
_SHOWN = 3
_DATE = re.compile(r"[0-9]{1,4}([-./: ])\s?([0-9]{1,2}|[a-z]{3,9}\.?)\1\s?[0-9]{1,4}(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class Roles:
    """The column of each role that there is one for, and the reason of those that no name told."""

    columns: Mapping[str, str]
    reasons: Mapping[str, str]


def roles_of(table: LabelTable, given: Mapping[str, str], names: Names) -> Roles:
    """Which column says what.

    Raises DataError where path or label have none, UnclearTable where several could be it or none is the label of
    images that are named, and OtherTask where all that could be are measured values.
    """
    _refuse_unknown(table, given)
    reasons: dict[str, str] = {}
    found = {role: given[role] if role in given else usual_column(role, table.columns) for role in ROLES}
    if "path" not in given:
        found["path"], reasons["path"] = _path(table, names, found["path"])
    if not found["path"]:
        raise _lacking(table, "path", found)
    if "split" not in given and not found["split"]:
        found["split"], reasons["split"] = _split(table, set(found.values()))
    if "label" not in given:
        taken = {column for role, column in found.items() if role != "label"}
        found["label"], reasons["label"] = _label(table, taken)
    if not found["label"]:
        raise _lacking_label(table, found, names)
    if "time" not in given and not found["time"]:
        found["time"], reasons["time"] = _dates(table, found)
    return Roles(
        {role: column for role, column in found.items() if column}, {r: why for r, why in reasons.items() if why}
    )


def _refuse_unknown(table: LabelTable, given: Mapping[str, str]) -> None:
    for role, column in given.items():
        if role not in ROLES:
            raise DataError(
                f"data.columns names a role '{role}' that there is none of",
                next_step=f"{nearest(role, ROLES) or 'roles'}: {', '.join(ROLES)}".replace("?:", "? of"),
            )
        if column and column not in table.columns:
            raise DataError(
                f"{table.name} has no column '{column}', which data.columns names; it has {_shown(table.columns)}",
                next_step=nearest(column, table.columns) or "name one that is there",
            )


def _lacking(table: LabelTable, role: str, found: Mapping[str, str]) -> DataError:
    return DataError(
        f"{table.name} has no column that is known to hold the {role} of an image: it has {_shown(table.columns)}",
        next_step=f"say which: data: {{columns: {{{role}: {next(iter(_free(table, found)), 'NAME')}}}}}",
    )


def _dates(table: LabelTable, found: Mapping[str, str]) -> tuple[str, str]:
    """The one column that is free and whose cells are dates, however it is called."""
    dated = [column for column in _free(table, found) if _are_dates(cells_of(table, column))]
    return (dated[0], "its cells are dates") if len(dated) == 1 else ("", "")


def _are_dates(cells: Sequence[str]) -> bool:
    return len(set(cells)) > 1 and all(_DATE.match(text.strip()) for text in cells if not is_no_value(text))


def _lacking_label(table: LabelTable, found: Mapping[str, str], names: Names) -> DataError:
    place = table.columns.index(found["path"])
    if not any(names.knows(row[place]) for row in table.rows):
        return _lacking(table, "label", found)
    free = _free(table, found)
    measured = next((column for column in free if is_measured(cells_of(table, column))), None)
    if measured is not None:
        return measured_value(table, measured)
    return UnclearTable(
        f"{table.name} names the images, and has no column that is known to hold the label: it has "
        f"{_shown(table.columns)}",
        next_step=f"say which: {names_the_label(next(iter(free), 'NAME'))}",
    )


def _free(table: LabelTable, found: Mapping[str, str]) -> list[str]:
    return [column for column in table.columns if column and column not in found.values()]


def _path(table: LabelTable, names: Names, usual: str) -> tuple[str, str]:
    """The column whose cells name most images; a running number beside another is none.

    Raises UnclearTable where two are left that name different images.
    """
    rows = table.rows[:: max(1, len(table.rows) // _SAMPLED)]
    cells = {column: [row[place] for row in rows] for place, column in enumerate(table.columns)}
    telling = [column for column in table.columns if len(set(cells[column])) > _VARIED * len(rows)]
    if usual and all(map(names.exact, cells[usual])):
        others = [column for column in telling if column != usual]
        if not any(sum(map(bool, map(names.exact, cells[column]))) > _NEARLY * len(rows) for column in others):
            return usual, ""
    meant = {column: [names.knows(text) for text in cells[column]] for column in telling}
    named = {column: len({images for images in found if images}) for column, found in meant.items()}
    most = max(named.values(), default=0)
    if most < max(1, _LEAST * min(len(rows), len(names.paths))):
        return usual, ""
    best = [column for column in telling if named[column] >= _NEARLY * most]
    best = [column for column in best if all(map(_is_file, cells[column]))] or best
    best = [column for column in best if not _is_running(table, column)] or best
    first = [*usual_columns("path", best), *best][0]
    if other := next((column for column in best if meant[column] != meant[first]), None):
        raise UnclearTable(
            f"{table.name}: '{first}' and '{other}' name images, and not the same, such as {cells[first][0]} and "
            f"{cells[other][0]}",
            next_step=f"say which: data: {{labels: {table.name}, columns: {{path: {first}}}}}",
        )
    return first, "" if first in usual_columns("path", best) else f"its cells name {most:,} images"


def _is_file(text: str) -> bool:
    return has_image_suffix(text) or "/" in text or "\\" in text


def _is_running(table: LabelTable, column: str) -> bool:
    """Whether its cells are one whole number after another, as where a program numbers the rows."""
    place = table.columns.index(column)
    cells = [row[place] for row in table.rows]
    start = int(cells[0]) if cells[0].isascii() and cells[0].isdigit() and len(cells[0]) < 19 else None
    return start is not None and cells == [str(start + number) for number in range(len(cells))]


def _split(table: LabelTable, taken: set[str]) -> tuple[str, str]:
    """The column whose values are the parts of a data set, such as train and test."""
    for column in table.columns:
        values = set(_values(table, column)) if column and column not in taken else set()
        if 1 < len(values) <= _MOST_PARTS and are_parts(values):
            return column, f"its values are {', '.join(sorted(values))}"
    return "", ""


def _label(table: LabelTable, taken: set[str]) -> tuple[str, str]:
    """`y` and the like are coordinates as often as labels: they need few values, and no `x` beside them."""
    free = [column for column in table.columns if column and column not in taken]
    usual = [column for column in usual_columns("label", free) if plain_name(column) != "y"]
    if usual:
        return next((column for column in usual if len(_values(table, column)) > 1), usual[0]), ""
    few = [column for column in free if _may_be_label(table, column)]
    if not few:
        return next((column for column in free if plain_name(column) == "y" and not _has_x(table)), ""), ""
    if len(few) > 1 and table.has_header:
        told = "; ".join(f"'{column}' ({_counted(table, column)})" for column in few[:_SHOWN])
        raise UnclearTable(
            f"{table.name}: several columns could be the label: {told}",
            next_step=f"say which: {names_the_label(few[0])}",
        )
    first = next((column for column in few if _is_after(table, column, taken)), few[0])
    others = f", not {', '.join(column for column in few if column != first)}" if len(few) > 1 else ""
    return first, f"{_counted(table, first)}{others}"


def _may_be_label(table: LabelTable, column: str) -> bool:
    """Whether few values come again and again, and are no measurements."""
    name, values = plain_name(column), _values(table, column)
    if are_parts(values):
        return False
    is_y = name == "y" and not _has_x(table)
    if name in NEVER_LABELS and not is_y:
        return False
    count = sum(values.values())
    if not 2 <= len(values) <= min(_MOST_CLASSES, max(2, count // 3)):
        return False
    numbers = [number for value in values if (number := _number(value)) is not None]
    if len(numbers) < len(values) or len(values) <= _FEW_NUMBERS:
        return len(numbers) < len(values) or not table.has_header or all(number.is_integer() for number in numbers)
    return max(numbers) - min(numbers) + 1 == len(values) and min(numbers) in (0, 1)


def _values(table: LabelTable, column: str) -> Counter[str]:
    place = table.columns.index(column)
    return Counter(key_of(row[place], letters=True) for row in table.rows if not is_no_value(row[place]))


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _has_x(table: LabelTable) -> bool:
    return any(plain_name(column) == "x" for column in table.columns)


def _is_after(table: LabelTable, column: str, taken: set[str]) -> bool:
    return any(other in taken for other in table.columns[: table.columns.index(column)])


def _counted(table: LabelTable, column: str) -> str:
    values = _values(table, column).most_common()
    told = ", ".join(f"{value} {count:,}" for value, count in values[:_SHOWN])
    return f"{len(values)} values: {told}{', …' if len(values) > _SHOWN else ''}"


def _shown(columns: Sequence[str]) -> str:
    return ", ".join(columns[:12]) + (", …" if len(columns) > 12 else "") if columns else "none"
