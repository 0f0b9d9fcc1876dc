"""Write a file completely or not at all, even if the process is killed or the power fails."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foldproof.errors import StorageError
from foldproof.storage.refusal import next_step

# Windows refuses to replace a file while anybody, a virus scanner too, has it open: seconds to wait between tries.
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if os.name == "nt" else ()


def write_atomically(path: Path, content: bytes | str) -> Path:
    """Write a file so that a reader, or a crash, sees the old content or the new and nothing between."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Hand out a temporary path beside `path`; when the block ends well it is synced and takes its place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        sync_file(temporary)
        _take_its_place(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}",
            next_step=next_step(error),
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _take_its_place(temporary: Path, path: Path) -> None:
    for pause in _PAUSES:
        with suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(pause)
    temporary.replace(path)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed left in `folder`; nobody else may be writing there."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            path.unlink()


def sync_file(path: Path) -> None:
    """Return when the bytes of `path` would survive a power cut."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Return when the names in `path` would survive a power cut, where the system can promise that."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
