"""Lock a file for one process at a time, and name the holder. The lock of a dead process is free."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from foldproof.errors import StorageError
from foldproof.storage.refusal import next_step


@contextmanager
def locked(path: Path, *, what: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path` for the block; the lock of a process that died is free.

    Raises StorageError, with who holds it, where another process still does after `wait_seconds`, or where no file can
    be made there.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise StorageError(
            f"{what} is in use by {holder(path)}", next_step="wait for it to end, then try again"
        ) from None
    except FileExistsError:
        raise StorageError(
            f"cannot write {path}: {path.parent} is a file", next_step="name a folder, not a file"
        ) from None
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}", next_step=next_step(error)) from error
    try:
        _sign(path)
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether a process, on any machine that sees this file, holds the lock file `path`. Makes and awaits nothing."""
    if not path.is_file():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def holder(path: Path) -> str:
    """Who holds the lock file `path`: `process 4711 on kepler since 12:03:44`, or `another process`."""
    try:
        signed = json.loads(path.read_bytes()[:1000])
        since = time.strftime("%H:%M:%S", time.localtime(signed["since"]))
        return f"process {int(signed['pid'])} on {str(signed['host'])!a} since {since}".replace("'", "")
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "another process"


def _sign(path: Path) -> None:
    """Write into a lock file who holds it; on a full disk it stays unsigned, and a link is not followed."""
    signed = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()})
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0))
        try:
            os.write(descriptor, signed.encode())
        finally:
            os.close(descriptor)
