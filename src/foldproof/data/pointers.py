"""Find git-lfs pointers, which stand in for pictures that were not fetched."""

from collections.abc import Iterable
from pathlib import Path

POINTER = b"version https://git-lfs.github.com/spec/"
_MOST_BYTES = 1024  # as git-lfs bounds them


def pointers_among(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` in `folder`. Opens only files as small as a pointer is."""
    return tuple(path for path in paths if _is_pointer(folder / path))


def _is_pointer(file: Path) -> bool:
    try:
        if file.stat().st_size >= _MOST_BYTES:
            return False
        with file.open("rb") as opened:
            return opened.read(len(POINTER)) == POINTER
    except OSError:  # told where it is read
        return False
