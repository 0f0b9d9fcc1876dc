"""The columns of a table in; which of them says the path, the label, the group and so on of an image, out. Pure.

Usual names are recognised; `data.columns` names others, or takes a role away by an empty text.
"""

from collections.abc import Mapping, Sequence

from foldproof.data.labels.said import ROLES
from foldproof.errors import DataError, nearest

USUAL: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file_path", "filepath", "image_path", "img_path", "file", "file_name", "filename", "image",
             "image_name", "image_id", "img", "img_id", "name", "id"),
    "label": ("label", "class", "class_name", "label_name", "target", "category", "diagnosis", "dx", "species", "y"),
    "group": ("group", "patient", "patient_id", "subject", "subject_id", "case_id", "lesion_id", "group_id"),
    "fold": ("fold", "kfold", "fold_id"),
    "split": ("split", "subset", "partition", "set"),
    "time": ("time", "timestamp", "datetime", "date", "taken", "acquired"),
}  # fmt: skip
_NEEDED = ("path", "label")


def roles_of(columns: Sequence[str], given: Mapping[str, str], *, name: str) -> Mapping[str, str]:
    """The column of each role that there is one for. Raises DataError where path or label have none."""
    for role, column in given.items():
        if role not in ROLES:
            raise DataError(
                f"data.columns names a role '{role}' that there is none of",
                next_step=f"{nearest(role, ROLES) or 'roles'}: {', '.join(ROLES)}".replace("?:", "? of"),
            )
        if column and column not in columns:
            raise DataError(
                f"{name} has no column '{column}', which data.columns names; it has {_shown(columns)}",
                next_step=nearest(column, columns) or "name one that is there",
            )
    found = {role: given[role] if role in given else usual_column(role, columns) for role in ROLES}
    for role in _NEEDED:
        if not found[role]:
            free = [column for column in columns if column not in found.values()]
            raise DataError(
                f"{name} has no column that is known to hold the {role} of an image: it has {_shown(columns)}",
                next_step=f"say which: data: {{columns: {{{role}: {free[0] if free else 'NAME'}}}}}",
            )
    return {role: column for role, column in found.items() if column}


def usual_column(role: str, columns: Sequence[str]) -> str:
    """The first column with a usual name for `role`, or the empty text."""
    lower = {column.strip().lower().replace(" ", "_").replace("-", "_"): column for column in reversed(columns)}
    return next((lower[name] for name in USUAL[role] if name in lower), "")


def _shown(columns: Sequence[str]) -> str:
    return ", ".join(columns[:12]) + (", …" if len(columns) > 12 else "") if columns else "none"
