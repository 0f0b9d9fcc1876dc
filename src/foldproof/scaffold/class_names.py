"""Find the class names that a JSON file beside a table gives its labels."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.storage import read_file

_MOST_FILES, _MOST_BYTES = 10, 2**20
NONE: tuple[Mapping[str, str], str] = ({}, "")


def class_names(table: Path, labels: Collection[str]) -> tuple[Mapping[str, str], str]:
    """The name of each label, and the file that says so: a JSON object from labels to names or the other way
    round, or a list of names in the order of the labels.

    Nothing where no file names every label, each by a name of its own.
    """
    for file in sorted(table.parent.glob("*.json"))[:_MOST_FILES]:
        content = _object(file)
        for names in (content, {name: label for label, name in content.items()}):
            chosen = {label: names[label] for label in sorted(labels) if label in names}
            if len(chosen) == len(labels) and len(set(chosen.values())) == len(labels):
                return chosen, file.name
    return NONE


def _object(file: Path) -> dict[str, str]:
    """The pairs of a flat object of texts and whole numbers, a list being one by its places; none of another file."""
    try:
        content = json.loads(read_file(file, most_bytes=_MOST_BYTES))
    except (OSError, DamagedFile, ValueError, RecursionError):
        return {}
    if isinstance(content, list):
        content = dict(enumerate(content))
    if not isinstance(content, dict) or not all(_is_plain(value) for value in content.values()):
        return {}
    return {str(key): str(value) for key, value in content.items()}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
