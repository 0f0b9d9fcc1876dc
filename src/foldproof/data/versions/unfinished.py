"""Keep a note of unfinished work on a versioned folder that outlives a kill, and admit one writer at a time.

A note is a file in `.dvc/tmp`, where DVC keeps what git should not track. It is written before a folder is touched and
removed when all is as it should be.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from foldproof.data.versions import guard, lists
from foldproof.data.versions.lists import Files
from foldproof.errors import DamagedFile, DataError, StorageError
from foldproof.storage import locked, read_json_inside, write_atomically

WAIT_SECONDS = 3600.0  # for another command that pulls or versions images of the same repository

Kind: TypeAlias = Literal["pull", "add"]
Waiting: TypeAlias = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Note:
    """`folder` is relative to the repository. `files` is what an `add` found there."""

    kind: Kind
    folder: str
    files: Files = field(default_factory=dict)


def root_of(folder: Path) -> Path | None:
    """The DVC repository that `folder` lies in."""
    here = Path(os.path.normpath(folder.absolute()))
    return next((path for path in (here, *here.parents) if (path / ".dvc").is_dir()), None)


@contextmanager
def alone(root: Path, waiting: Waiting | None = None) -> Iterator[None]:
    """Let one command of ours at a time into a repository; `waiting` hears of it where another is at work."""
    lock, what = _folder(root) / "lock", f"the DVC repository {root}"
    try:
        with locked(lock, what=what):
            yield
        return
    except StorageError as error:
        if "in use" not in error.what:
            raise
    if waiting is not None:
        waiting()
    with locked(lock, what=what, wait_seconds=WAIT_SECONDS):
        yield


def write(root: Path, note: Note) -> None:
    """Keep a note. Raises StorageError where none can be kept: then the folder should not be touched."""
    _folder(root).mkdir(parents=True, exist_ok=True)
    write_atomically(_path(root, note.kind, note.folder), json.dumps(asdict(note), ensure_ascii=False))


def erase(root: Path, kind: Kind, folder: str) -> None:
    """Forget the notes of this folder and of those in it, which are complete now."""
    for path, note in _notes(root, kind):
        if note is None or _is_in(note.folder, folder):
            path.unlink(missing_ok=True)


def read(root: Path, kind: Kind, folder: str) -> Note | None:
    """The note about this very folder."""
    return dict(_notes(root, kind)).get(_path(root, kind, folder))


def relative(root: Path, folder: Path) -> str:
    """`folder` as notes name it."""
    return Path(os.path.relpath(folder.absolute(), root)).as_posix()


def interrupted(folder: Path, kind: Kind) -> bool:
    """Whether a pull or an add of this folder, of one in it or above it was cut off and none has completed it since.

    False while one is at work. Costs one look into `.dvc/tmp`.
    """
    root = root_of(folder)
    if root is None:
        return False
    name = relative(root, folder)
    found = [note for _, note in _notes(root, kind)]
    if not any(note is None or _is_in(note.folder, name) or _is_in(name, note.folder) for note in found):
        return False
    try:
        with locked(_folder(root) / "lock", what="the repository"):
            return True
    except StorageError:
        return False


def _notes(root: Path, kind: Kind) -> list[tuple[Path, Note | None]]:
    """Files and what they say; None where one is damaged."""
    found: list[tuple[Path, Note | None]] = []
    for path in sorted(_folder(root).glob(f"{kind}-*.json")):
        try:
            found.append((path, _note(path)))
        except (OSError, ValueError, TypeError, AttributeError, DamagedFile, DataError):
            found.append((path, None))
    return found


def _note(path: Path) -> Note:
    content = read_json_inside(path.parent, path.name, most_bytes=lists.MOST_BYTES)
    files = lists.checked(content.pop("files").items(), str(path))
    return Note(**{name: str(value) for name, value in content.items()}, files=files)  # type: ignore[arg-type]


def _is_in(folder: str, other: str) -> bool:
    return other == "." or folder == other or folder.startswith(f"{other}/")


def _path(root: Path, kind: Kind, folder: str) -> Path:
    return _folder(root) / f"{kind}-{hashlib.sha256(folder.encode()).hexdigest()[:16]}.json"


def _folder(root: Path) -> Path:
    guard.refuse_strange_home(root)
    return root / ".dvc" / "tmp" / "foldproof"
