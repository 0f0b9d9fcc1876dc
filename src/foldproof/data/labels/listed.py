"""Read which of the present images a text file lists, as a publisher's test.txt does.

A line begins with the path, the name or the stem of an image; what follows after a blank or a comma is not heeded.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from foldproof.data.labels.names import Names
from foldproof.errors import DamagedFile, DataError
from foldproof.storage import read_text
from foldproof.storage.limits import TABLE_BYTES

_FIRST_CELL = re.compile(r"[^\s,;|]+")


def listed_in(file: Path, paths: Sequence[str], *, folder: Path) -> frozenset[str]:
    """The images among `paths` in `folder` that `file` names. Raises DataError where it names none or is no text."""
    try:
        text = read_text(file, most_bytes=TABLE_BYTES)
    except (OSError, DamagedFile) as error:
        raise DataError(f"data.test: {file} cannot be read", next_step="name a folder or a text file") from error
    names = Names.of(paths, file=file, folder=folder)
    found = frozenset(path for line in text.splitlines() for path in _named(line.strip(), names))
    if not found:
        raise DataError(
            f"data.test: {file.name} names none of the images in {folder}",
            next_step="write a path below that folder, or a name, in each line",
        )
    return found


def _named(line: str, names: Names) -> Iterator[str]:
    first = _FIRST_CELL.match(line)
    found = names.exact(line) or (names.exact(first[0]) if first else ()) or _without_suffix(line, names)
    if len(found) == 1:
        yield found[0]


def _without_suffix(line: str, names: Names) -> tuple[str, ...]:
    """`apple_pie/1005649` is the only image of that path, whatever its suffix."""
    first = _FIRST_CELL.match(line)
    end = first[0].removeprefix("./") if first else ""
    return tuple(path for path in names.knows(end) if path.rpartition(".")[0] == end) if "/" in end else ()
