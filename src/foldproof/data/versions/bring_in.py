"""Copy a folder of images into a project, completely or not at all."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from foldproof.data.survey import Progress, no_progress
from foldproof.data.walk import Kind, walk
from foldproof.errors import DataError, StorageError

GB = 10**9
_SPARE = 1.1  # of what is copied: DVC's cache takes as much again where it cannot link


@dataclass(frozen=True)
class CopySize:
    """How much there is to copy, and how much room. Bytes."""

    files: int
    size: int
    free: int

    def __str__(self) -> str:
        return f"{self.files:,} files, {self.size / GB:.2f} GB; {self.free / GB:,.0f} GB are free here"


def load_of(folder: Path, target: Path) -> CopySize:
    """What copying `folder` to below `target`'s nearest folder would take. Raises DataError where it cannot be read."""
    files = _files(folder)
    here = next(path for path in (target, *target.parents) if path.exists())
    return CopySize(len(files), sum((folder / path).stat().st_size for path in files), shutil.disk_usage(here).free)


def bring_in(folder: Path, target: Path, *, progress: Progress = no_progress) -> CopySize:
    """Copy the files of `folder` to `target`, which must not be there; links are not followed.

    A copy that is cut off leaves nothing at `target`. Raises DataError, StorageError where there is no room.
    """
    if target.exists():
        raise DataError(f"{target} is there already", next_step="name a new folder, or `foldproof data add` that one")
    load = load_of(folder, target)
    if load.size * _SPARE > load.free:
        raise StorageError(
            f"there is no room for a copy of {folder}: {load}", next_step="free some space, or move it instead"
        )
    temporary = target.with_name(f".{target.name}.copying")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)  # where a link stands in its place, nothing is copied through it
        files = _files(folder)
        for number, path in enumerate(files, start=1):
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / path, temporary / path)
            progress("copying images", number, len(files))
        temporary.replace(target)
    except OSError as error:
        raise StorageError(
            f"cannot copy to {target}: {error.strerror or error}",
            next_step="free some space or fix the permissions; nothing was changed",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return load


def _files(folder: Path) -> list[str]:
    return [entry.path for entry in walk(folder) if entry.kind is Kind.FILE]
