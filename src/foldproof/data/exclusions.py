"""Read and write excluded.csv, the committed list of images that are not trained on, by content and class.

A row excludes an image by its content and its class, so that a renamed file stays excluded and, of the same picture
under two classes, one can be kept by removing its row. Nothing is moved or deleted.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeAlias

from foldproof.errors import DamagedFile
from foldproof.storage import read_text, write_atomically
from foldproof.storage.limits import EXCLUSIONS_BYTES

SCHEMA_VERSION = 1
COLUMNS = ("v", "path", "label", "sha256", "code", "reason")


@dataclass(frozen=True, order=True)
class Exclusion:
    """An image that is left out. `path` says where it lay when it was listed; `code` is the finding's."""

    path: str
    label: str
    sha256: str
    code: str
    reason: str


Exclusions: TypeAlias = Mapping[tuple[str, str], Exclusion]  # by (sha256, label)


def match_content(exclusions: Iterable[Exclusion]) -> Exclusions:
    return {(item.sha256, item.label): item for item in exclusions}


def read_exclusions(file: Path) -> Exclusions:
    """What `file` lists; nothing where there is no such file. Raises DamagedFile with the line that cannot be read."""
    try:
        text = read_text(file, most_bytes=EXCLUSIONS_BYTES)
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except FileNotFoundError:
        return {}
    except csv.Error as error:
        raise DamagedFile(f"{file.name} cannot be read: {error}", next_step="restore it from git") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise DamagedFile(
            f"{file.name} has the columns {', '.join(rows[0]) if rows else '(none)'}",
            next_step=f"expected: {', '.join(COLUMNS)}",
        )
    return match_content(_exclusion(file, number, row) for number, row in enumerate(rows[1:], start=2) if row)


def add_exclusions(file: Path, fresh: Iterable[Exclusion]) -> tuple[Exclusion, ...]:
    """Put `fresh` into the list, sorted; those of them that it lacked. Raises StorageError, DamagedFile."""
    known = read_exclusions(file)
    added = {key: item for key, item in match_content(fresh).items() if key not in known}
    if added:
        write_atomically(file, to_csv({**known, **added}.values()))
    return tuple(added.values())


def to_csv(exclusions: Iterable[Exclusion]) -> str:
    """The content of excluded.csv, by path."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((SCHEMA_VERSION, *astuple(item)) for item in sorted(exclusions))
    return made.getvalue()


def _exclusion(file: Path, number: int, row: list[str]) -> Exclusion:
    try:
        version, path, label, sha256, code, reason = row
        if int(version) > SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, newer than this foldproof")
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError(f"{sha256[:80]!r} is not a SHA-256")
    except ValueError as error:
        raise DamagedFile(
            f"{file.name}, line {number} is not an exclusion: {error}", next_step="restore it from git"
        ) from error
    return Exclusion(path, label, sha256, code, reason)
