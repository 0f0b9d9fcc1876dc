"""Tell whether files that MLflow keeps lie in given folders, with no link that leads out."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from foldproof.errors import DamagedFile
from foldproof.storage import RelativePath, leads_astray

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def kept_folders(artifacts: Path) -> tuple[Path, ...]:
    """The project's own folders for files of runs: ours, and that of plain MLflow in the project's folder."""
    return artifacts, artifacts.with_name("mlruns")


def local_path(location: str) -> Path | None:
    """The path that an artifact location names on this machine, None for one with another scheme."""
    if _DRIVE.match(location):
        return Path(location)
    parts = urlsplit(location)
    if parts.scheme not in ("", "file"):
        return None
    path = unquote(parts.path) if parts.scheme else location
    return Path(path[1:] if re.match(r"/[A-Za-z]:", path) else path)


def lies_within(location: Path, folders: Iterable[Path]) -> bool:
    """Whether an absolute path is one of `folders` or below one, names no `..` and has no link below that folder."""
    if not location.is_absolute() or ".." in location.parts:
        return False
    return any(_is_below(location, folder) for given in folders for folder in {given, given.resolve()})


def _is_below(location: Path, folder: Path) -> bool:
    try:
        relative = location.relative_to(folder.absolute())
    except ValueError:
        return False
    if not relative.parts:
        return True
    try:
        return leads_astray(folder, RelativePath.parse(relative.as_posix())) is None
    except (DamagedFile, OSError):
        return False
