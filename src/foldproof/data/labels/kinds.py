"""Reduce a table of labels to one label per image, or refuse it and say what it holds instead. Pure.

A column of 0 and 1 a class is one label where a single one is 1 in each row. Several labels an image, a measured value
and boxes are other tasks than the one that is done here: taken for classes, they would be trained on in silence.
"""

import math
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.usual import NEVER_LABELS, is_usual, plain_name, usual_column
from foldproof.errors import OtherTask

_YES, _NO = frozenset({"1", "1.0", "true", "True", "TRUE"}), frozenset({"0", "0.0", "false", "False", "FALSE"})
_UNCERTAIN = frozenset({"-1", "-1.0"})
_BOXES = (
    {"xmin", "ymin", "xmax", "ymax"},
    {"x_min", "y_min", "x_max", "y_max"},
    {"x1", "y1", "x2", "y2"},
    {"x", "y", "w", "h"},
    {"x", "y", "width", "height"},
    {"x_center", "y_center", "width", "height"},
    {"bbox"},
    {"bounding_box"},
    {"encodedpixels"},
)
_AROUND = " []{}'\""  # as a list of Python is written
_SEPARATORS = (r"\|", ";", ",", r"\s+")
_MANY_VALUES = 20  # different numbers of which a column of classes has hardly ever as many
_ROUNDED = 0.02  # that fractions of one may be away from it, written with few digits
_ONE_CLASS = "one class an image is what is trained here"


def one_label(table: LabelTable, given: Mapping[str, str]) -> tuple[LabelTable, str]:
    """The table with a column of labels made of those of 0 and 1, one a class; and how that was understood.

    As it is, where `given` or a usual name says which column the label is, or where there are no such columns. Raises
    OtherTask where several of them are 1 in a row.
    """
    if "label" in given or usual_column("label", table.columns):
        return table, ""
    free = [at for at, name in enumerate(table.columns) if _may_be_class(name, given)]
    block = [at for at in free if _is_yes_or_no(table, at)]
    if len(block) < 2:
        _refuse_shares(table, free)
        _refuse_uncertain(table, [at for at in free if _is_yes_no_or_open(table, at)])
        return table, ""
    names = [table.columns[at] for at in block]
    found = [[table.columns[at] for at in block if row[at] in _YES] for row in table.rows]
    if several := sum(len(one) > 1 for one in found):
        raise OtherTask(
            f"{table.name}: {several:,} of {len(table.rows):,} rows have several labels ({_shown(names)}): "
            f"{_ONE_CLASS}",
            next_step=f"choose one column, yes or no: {names_the_label(names[0])}; or leave such rows out",
        )
    without = sum(not one for one in found)
    note = f"label from the columns {_shown(names)}: one of them is 1 in each row"
    if without:
        note += f", none in {without:,}, which have no label"
    rest = [at for at in range(len(table.columns)) if at not in block]
    rows = tuple((*(row[at] for at in rest), one[0] if one else "") for row, one in zip(table.rows, found, strict=True))
    return replace(table, columns=(*(table.columns[at] for at in rest), "label"), rows=rows), note


def _refuse_shares(table: LabelTable, free: Sequence[int]) -> None:
    """Raises OtherTask where columns of fractions make up 1 in each row: how sure each class is, and no class."""
    fractions = [at for at in free if all((number := _number(row[at])) is not None and 0 <= number <= 1
                                          for row in table.rows)]  # fmt: skip
    fractions = [at for at in fractions if any(not float(row[at]).is_integer() for row in table.rows)]
    sums = [sum(float(row[at]) for at in fractions) for row in table.rows]
    if len(fractions) > 1 and sums and all(abs(one - 1) < _ROUNDED for one in sums):
        names = [table.columns[at] for at in fractions]
        raise OtherTask(
            f"{table.name} holds how sure each class is ({_shown(names)}), which make up 1 in each row: {_ONE_CLASS}",
            next_step=f"make a column of the class that is surest, and name it: {names_the_label('NAME')}",
        )


def _refuse_uncertain(table: LabelTable, block: Sequence[int]) -> None:
    """Raises OtherTask where columns of yes, no and what is open say yes to several labels in a row."""
    several = sum(sum(row[at] in _YES for at in block) > 1 for row in table.rows)
    if several:
        names = [table.columns[at] for at in block]
        open_ = "; -1 is uncertain" if any(row[at] in _UNCERTAIN for row in table.rows for at in block) else ""
        way = "; data.classes: {'-1': null} leaves out what is uncertain" if open_ else ""
        raise OtherTask(
            f"{table.name}: {several:,} of {len(table.rows):,} rows have several labels ({_shown(names)}{open_}): "
            f"{_ONE_CLASS}",
            next_step=f"choose one column, yes or no: {names_the_label(names[0])}{way}",
        )


def refuse_other_tasks(table: LabelTable, roles: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Raises OtherTask where what stands for the label is a measured value, several labels in a cell, or a box.

    What `given` names as the label is taken for one, unless it is measured.
    """
    labels = cells_of(table, roles["label"])
    if is_measured(labels):
        raise measured_value(table, roles["label"])
    if "label" in given:
        return
    lower = {column.strip().lower().replace(" ", "_") for column in table.columns}
    if any(box <= lower for box in _BOXES):
        raise OtherTask(
            f"{table.name} holds boxes or outlines: objects in images, where {_ONE_CLASS}",
            next_step=f"if each image has one class all the same: {names_the_label(roles['label'])}",
        )
    if atoms := _several_in_a_cell(labels):
        raise OtherTask(
            f"{table.name}: '{roles['label']}' holds several labels an image ({_shown(sorted(atoms))}): {_ONE_CLASS}",
            next_step=f"if each text is one class all the same: {names_the_label(roles['label'])}; "
            "else make a column of one class",
        )


def names_the_label(column: str) -> str:
    """What says that a column holds the label: the setting, or the option of the commands that know no settings."""
    return f"data: {{columns: {{label: {column}}}}}, or --label {shlex.quote(column)} of `init` and `try`"


def cells_of(table: LabelTable, column: str) -> list[str]:
    """What stands in a column, but for nothing."""
    place = table.columns.index(column)
    return [row[place] for row in table.rows if row[place]]


def measured_value(table: LabelTable, column: str) -> OtherTask:
    """The refusal of a column of numbers that are no classes."""
    cells = cells_of(table, column)
    return OtherTask(
        f"{table.name}: '{column}' is a measured value ({len(set(cells)):,} of them, {_range(cells)}), no class",
        next_step=f"make a column of classes, such as low and high, and name it: {names_the_label('NAME')}",
    )


def _may_be_class(name: str, given: Mapping[str, str]) -> bool:
    return name not in given.values() and not is_usual(name) and plain_name(name) not in NEVER_LABELS


def _is_yes_or_no(table: LabelTable, at: int) -> bool:
    values = {row[at] for row in table.rows}
    return bool(values) and values <= _YES | _NO and not values.isdisjoint(_YES)


def _is_yes_no_or_open(table: LabelTable, at: int) -> bool:
    values = {row[at] for row in table.rows}
    return values <= _YES | _NO | _UNCERTAIN | {""} and not values.isdisjoint(_YES)


def is_measured(labels: Sequence[str]) -> bool:
    """Whether most are numbers that differ, or numbers with fractions of which there are many."""
    numbers = [number for label in labels if (number := _number(label)) is not None]
    distinct = len(set(numbers))
    if len(numbers) < len(labels) or distinct <= _MANY_VALUES:
        return False
    return distinct > len(numbers) / 2 or any(number != round(number) for number in numbers)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _range(labels: Sequence[str]) -> str:
    numbers = [float(label) for label in labels]
    return f"{min(numbers):g} to {max(numbers):g}"


def _several_in_a_cell(labels: Sequence[str]) -> frozenset[str]:
    """The labels that cells are combinations of; none where they are no combinations.

    They are where fewer words than texts make up all of them, and each word stands in several texts; and where each
    word of every combination is the whole of another text.
    """
    texts = set(labels)
    for separator in _SEPARATORS:
        split = {text: [part for one in re.split(separator, text) if (part := one.strip(_AROUND))] for text in texts}
        together = [parts for parts in split.values() if len(parts) > 1]
        count = Counter(part for parts in split.values() for part in set(parts))
        shared = together and all(count[part] > 1 for parts in together for part in parts)
        are_alone = together and all(part in texts for parts in together for part in parts)
        if are_alone or (shared and len(count) < len(texts) and len(together) >= len(texts) / 3):
            return frozenset(count)
    return frozenset()


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
