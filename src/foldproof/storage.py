"""Atomic writes, locks, safe paths, redaction of secrets: bytes in, files that are whole or absent out."""

import json
import math
import os
import re
import secrets
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout

from foldproof.errors import DamagedFile, StorageError

# A named pipe does not keep whoever opens it waiting, and a link is not followed, where the system can do that.
_READING = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READING |= getattr(os, _flag, 0)
_WINDOWS_LINKS = (0xA000000C, 0xA0000003)  # symbolic link, junction


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
    """Write into a lock file who holds it; on a full disk it stays unsigned, and a link is not followed."""
    signed = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()})
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0))
        try:
            os.write(descriptor, signed.encode())
        finally:
            os.close(descriptor)


def inside(folder: Path, relative: str) -> Path:
    """The path `relative` below `folder`. Raises DamagedFile where it would lead out of it."""
    pure = PurePosixPath(relative)
    strange = "\\" in relative or "\0" in relative or PureWindowsPath(relative).drive
    if strange or pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise DamagedFile(f"a recorded path leads out of its folder: {relative!r}", next_step="do not use this record")
    return folder.joinpath(*pure.parts)


def regular_inside(folder: Path, relative: str, *, most_bytes: int) -> Path:
    """The file `relative` below `folder`, where it may be read although somebody else gave the folder.

    Raises DamagedFile where it leads out of it, lies behind a link below `folder`, is no plain file, or is larger than
    `most_bytes`; FileNotFoundError where there is none. `folder` itself may be reached by links.
    """
    path = inside(folder, relative)
    steps = [*reversed(path.relative_to(folder).parents), path.relative_to(folder)][1:]
    for step in steps:
        info = _look(folder / step)
        if _is_link(info):
            raise _refused(folder / step, "is a link")
        if not (stat.S_ISREG if step == steps[-1] else stat.S_ISDIR)(info.st_mode):
            raise _refused(folder / step, "is no plain file" if step == steps[-1] else "is no folder")
    if info.st_size > most_bytes:
        raise _refused(path, f"has {info.st_size:,} bytes; {most_bytes:,} are the most that is read")
    return path


def is_folder_here(path: Path) -> bool:
    """Whether `path` is a folder. Raises DamagedFile where it is a link: what it leads to is not the record's."""
    info = _look(path)
    if _is_link(info):
        raise _refused(path, "is a link")
    return stat.S_ISDIR(info.st_mode)


def read_inside(folder: Path, relative: str, *, most_bytes: int) -> bytes:
    """The content of a file below a folder that somebody else may have given. Raises as `regular_inside` does."""
    path = regular_inside(folder, relative, most_bytes=most_bytes)
    try:
        descriptor = os.open(path, _READING)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _refused(path, "is no plain file")
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedFile(
            f"{path} cannot be read: {error.strerror or error}", next_step="mend its permissions, or leave it out"
        ) from error
    if len(content) > most_bytes:
        raise _refused(path, f"has more than {most_bytes:,} bytes")
    return content


def read_json_inside(folder: Path, relative: str, *, most_bytes: int) -> dict[str, Any]:
    """The JSON object in a file below a folder that somebody else may have given.

    Raises as `read_inside` does, and DamagedFile for anything else than one object in which no key stands twice and
    every number is finite.
    """
    content = read_inside(folder, relative, most_bytes=most_bytes)
    try:
        value = json.loads(content, object_pairs_hook=_each_key_once, parse_float=_finite, parse_constant=_finite)
        if not isinstance(value, dict):
            raise TypeError("it is no JSON object")
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedFile(
            f"{folder / relative} cannot be read: {cleaned(str(error), most=200)}",
            next_step="restore it from a copy, or leave it out",
        ) from error
    return value


def cleaned(text: str, *, most: int) -> str:
    """`text` for a terminal, whoever wrote it: control and invisible characters escaped, at most `most` characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    return shown if len(text) <= most and len(shown) <= most else shown[: most - 1] + "…"


def cleaned_lines(text: str, *, most: int = 2000) -> str:
    """Each line of `text` as `cleaned` shows it."""
    return "\n".join(cleaned(line, most=most) for line in text.split("\n"))


def _look(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedFile(
            f"{path} cannot be read: {error.strerror or error}", next_step="mend its permissions, or leave it out"
        ) from error


def _is_link(info: os.stat_result) -> bool:
    return stat.S_ISLNK(info.st_mode) or getattr(info, "st_reparse_tag", 0) in _WINDOWS_LINKS


def _refused(path: Path, why: str) -> DamagedFile:
    return DamagedFile(f"{path} {why}: it is not read", next_step="a record holds plain files; do not use this one")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


# Each begins where a name begins and takes all of it at once: the time is linear in the length of the text.
_URI_PASSWORD = re.compile(
    r"(?P<head>(?<![a-z0-9+.-])[a-z0-9+.-]++://[^\s/:@]*+:)(?P<secret>[^\s@/]++(?:@[^\s@/\"',;<>]++)*)@",
    re.IGNORECASE,
)
_URI_TOKEN = re.compile(r"(?P<head>\bhttps?://)(?P<secret>[^\s/:@]++)@", re.IGNORECASE)
_BEARER = re.compile(r"(?P<head>\bbearer\s{1,8})(?P<secret>[\w.~+/=-]{8,})", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"(?P<head>(?<![\w.-])(?=[\w.-]*?(?:password|passwd|secret|token|api_?key|access_?key))[\w.-]++"
    r"['\"]?\s{0,8}[=:]\s{0,8}['\"]?)(?P<secret>[^\s,;&'\"]+)",
    re.IGNORECASE,
)


_SECRET_VARIABLE = re.compile(r"password|passwd|secret|token|api_?key|access_?key", re.IGNORECASE)
_OF_A_PLACE = ("_FILE", "_PATH", "_DIR", "_URL", "_URI", "_ID")
_SHORTEST_SECRET = 8  # a shorter value would take words out of every text


def redact(text: str) -> str:
    """`text` with `***` for the passwords and tokens in URIs, bearer tokens, and the values of names like `token=`.

    So are the values of environment variables with such names, as they are and as a URI spells them.
    """
    for secret in _secrets_of(os.environ):
        text = text.replace(secret, "***")
    for pattern in (_URI_PASSWORD, _URI_TOKEN):
        text = pattern.sub(lambda match: match["head"] + "***@", text)
    for pattern in (_BEARER, _NAMED_SECRET):
        text = pattern.sub(lambda match: match["head"] + "***", text)
    return text


def _secrets_of(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if _SECRET_VARIABLE.search(name) and not name.upper().endswith(_OF_A_PLACE) and len(value) >= _SHORTEST_SECRET:
            yield value
            yield quote(value, safe="")


def redact_uris(content: bytes) -> bytes:
    """`content`, text of any encoding, with what is secret in URIs replaced and all else as it was: a diff applies."""
    text = content.decode(errors="surrogateescape")
    for pattern in (_URI_PASSWORD, _URI_TOKEN):
        text = pattern.sub(lambda match: match["head"] + "***@", text)
    return text.encode(errors="surrogateescape")
