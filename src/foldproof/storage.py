"""Atomic writes, locks, safe paths, redaction of secrets: bytes in, files that are whole or absent out."""

import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from filelock import FileLock, Timeout

from foldproof.errors import DamagedFile, StorageError


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
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}",
            next_step="free some space or mend the permissions, then do the same again",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


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
            f"{what} is in use by {holder(path)}", next_step="wait for it to end, then do the same again"
        ) from None
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}",
            next_step="mend the permissions, then do the same again",
        ) from error
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
    """Write into a lock file who holds it; on a full disk it stays unsigned."""
    with suppress(OSError):
        path.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()}))


def inside(folder: Path, relative: str) -> Path:
    """The path `relative` below `folder`. Raises DamagedFile where it would lead out of it."""
    pure = PurePosixPath(relative)
    strange = "\\" in relative or "\0" in relative or PureWindowsPath(relative).drive
    if strange or pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise DamagedFile(f"a recorded path leads out of its folder: {relative!r}", next_step="do not use this record")
    return folder.joinpath(*pure.parts)


# Each begins where a name begins and takes all of it at once: the time is linear in the length of the text.
_URI_PASSWORD = re.compile(
    r"(?P<head>(?<![a-z0-9+.-])[a-z0-9+.-]++://[^\s/:@]*+:)(?P<secret>[^\s@/]++)@", re.IGNORECASE
)
_URI_TOKEN = re.compile(r"(?P<head>\bhttps?://)(?P<secret>[^\s/:@]++)@", re.IGNORECASE)
_BEARER = re.compile(r"(?P<head>\bbearer\s{1,8})(?P<secret>[\w.~+/=-]{8,})", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"(?P<head>(?<![\w.-])(?=[\w.-]*?(?:password|passwd|secret|token|api_?key|access_?key))[\w.-]++"
    r"['\"]?\s{0,8}[=:]\s{0,8}['\"]?)(?P<secret>[^\s,;&'\"]+)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` with `***` for the passwords and tokens in URIs, bearer tokens, and the values of names like `token=`."""
    for pattern in (_URI_PASSWORD, _URI_TOKEN):
        text = pattern.sub(lambda match: match["head"] + "***@", text)
    for pattern in (_BEARER, _NAMED_SECRET):
        text = pattern.sub(lambda match: match["head"] + "***", text)
    return text


def redact_uris(content: bytes) -> bytes:
    """`content`, text of any encoding, with the passwords of URIs replaced and all else as it was: a diff applies."""
    text = content.decode(errors="surrogateescape")
    return _URI_PASSWORD.sub(lambda match: match["head"] + "***@", text).encode(errors="surrogateescape")
