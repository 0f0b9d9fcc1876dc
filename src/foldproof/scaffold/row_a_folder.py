"""Refuse folders as classes where a table labels each folder."""

from collections.abc import Collection, Sequence

from foldproof.data.labels.kinds import cells_of
from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.spelling import key_of
from foldproof.data.tables.usual import NEVER_LABELS, plain_name, usual_column
from foldproof.errors import UnclearTable
from foldproof.scaffold.typed import python_line

_CLASSES = frozenset({"wnid", "synsetid", "taxonid", "speciesid"})  # ids of kinds, not of patients or studies


def says_who(column: str) -> bool:
    """Whether a column is called as one of groups or ids is, and not as one of classes."""
    plain = plain_name(column)
    is_id = plain.endswith("id") and plain not in _CLASSES and not usual_column("label", [column])
    return is_id or bool(usual_column("group", [column]))


def names_all(table: LabelTable, folders: Collection[str]) -> str:
    """The first column of groups or ids in which all folders stand; the empty text without one."""
    names = {key_of(name) for name in folders}
    ids = [column for column in table.columns if column and says_who(column)]
    return next((column for column in ids if names <= set(map(key_of, cells_of(table, column)))), "")


def refusal_of(table: LabelTable, file: str, folders: Collection[str], images: str) -> UnclearTable | None:
    """Where a row stands for each of the `folders` in `images`, and a column has few values; `file`: as it is typed."""
    column = names_all(table, folders)
    if not column or len(set(cells_of(table, column))) < len(table.rows):
        return None
    usual = usual_column("label", table.columns)
    few = [one for one in table.columns if one and not says_who(one) and plain_name(one) not in NEVER_LABELS]
    label = next((one for one in [usual, *few] if one and _has_few(cells_of(table, one))), "")
    if not label:
        return None
    code = (
        f"import csv,sys,pathlib as p; w=csv.writer(sys.stdout); w.writerow(['path','label','group']); "
        f"[w.writerow([f.relative_to({images!r}).as_posix(),r[{label!r}],r[{column!r}]]) "
        f"for r in csv.DictReader(open({file!r})) for f in sorted(p.Path({images!r},r[{column!r}]).rglob('*.*'))]"
    )
    return UnclearTable(
        f"{table.name} has a row for each folder, such as {min(folders)}, and '{label}' in it: folders are no classes",
        next_step=f"make a table with a row an image, in this folder, then go on:\n  {python_line(code)} > labels.csv",
    )


def _has_few(values: Sequence[str]) -> bool:
    return 1 < len(set(values)) <= len(values) / 2
