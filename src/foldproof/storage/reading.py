"""Read files of a folder that somebody else may have given, or say why not."""

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from foldproof.errors import DamagedFile
from foldproof.storage.names import RelativePath
from foldproof.storage.parsing import parse_json

# A named pipe does not keep whoever opens it waiting, and a link is not followed, where the system can do that.
_READING = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READING |= getattr(os, _flag, 0)
_FOLLOWING = _READING & ~getattr(os, "O_NOFOLLOW", 0)
_HEAPED = re.compile(
    "(?<=[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_WINDOWS_LINKS = (0xA000000C, 0xA0000003)  # symbolic link, junction


def inside(folder: Path, relative: str) -> Path:
    """The path `relative` below `folder`. Raises DamagedFile where it would lead out of it."""
    return RelativePath.parse(relative).below(folder)


def regular_inside(folder: Path, relative: str, *, most_bytes: int) -> Path:
    """The file `relative` below `folder`, where it may be read although somebody else gave the folder.

    Raises DamagedFile where it leads out of it, lies behind a link below `folder`, is no plain file, or is larger than
    `most_bytes`; FileNotFoundError where there is none. `folder` itself may be reached by links.
    """
    path = inside(folder, relative)
    steps = _steps(path.relative_to(folder))
    for step in steps:
        info = _look(folder / step)
        if _is_link(info):
            raise _refused(folder / step, "is a link")
        if not (stat.S_ISREG if step == steps[-1] else stat.S_ISDIR)(info.st_mode):
            raise _refused(folder / step, "is no plain file" if step == steps[-1] else "is no folder")
    if info.st_size > most_bytes:
        raise _refused(path, f"has {info.st_size:,} bytes; {most_bytes:,} are the most that is read")
    return path


def create_inside(folder: Path, relative: RelativePath) -> BinaryIO:
    """A new file below `folder`, open for writing; folders on the way are made, links on the way are not followed.

    Raises DamagedFile where something stands there already, or a link or a file stands on the way.
    """
    path = folder_for(folder, relative) / relative.parts[-1]
    try:
        return path.open("xb")  # exclusive: an existing link is refused, too
    except FileExistsError:
        raise _refused(path, "stands there already") from None


def folder_for(folder: Path, relative: RelativePath) -> Path:
    """The folder that a file `relative` below `folder` lies in, made where it is not there.

    Raises DamagedFile where a link or a file stands on the way.
    """
    parent = folder
    folder.mkdir(parents=True, exist_ok=True)
    for part in relative.parts[:-1]:
        parent = parent / part
        with suppress(FileExistsError):
            parent.mkdir()
        if not stat.S_ISDIR(_look(parent).st_mode):
            raise _refused(parent, "is no folder")
    return parent


def leads_astray(folder: Path, relative: RelativePath) -> Path | None:
    """The first link on the way from `folder` to `relative`, itself included; None where there is none."""
    for step in _steps(Path(*relative.parts)):
        with suppress(FileNotFoundError):
            if _is_link(_look(folder / step)):
                return folder / step
    return None


def _steps(relative: Path) -> list[Path]:
    """Each folder on the way to a relative path, the outermost first, and then itself."""
    return [*reversed(relative.parents), relative][1:]


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
        return _read(path, _READING, most_bytes)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error


def read_if_there(folder: Path, relative: str, *, most_bytes: int) -> bytes | None:
    """As `read_inside`; None where there is no such file."""
    try:
        return read_inside(folder, relative, most_bytes=most_bytes)
    except FileNotFoundError:
        return None


def read_file(path: Path, *, most_bytes: int) -> bytes:
    """The content of a file of the user's own, which links may lead to.

    Raises DamagedFile where it is a pipe or a device, or larger than `most_bytes`, and OSError.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):  # before it is opened: opening a device may do something
        raise _no_file(path)
    return _read(path, _FOLLOWING, most_bytes)


def read_text(path: Path, *, most_bytes: int) -> str:
    """The text of a file of the user's own. Raises as `read_file` does, and DamagedFile where it is not UTF-8."""
    return decode_text(read_file(path, most_bytes=most_bytes), name=str(path))


def decode_text(content: bytes, *, name: str) -> str:
    """The text in the content of a file called `name`. Raises DamagedFile where it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise DamagedFile(f"{name} cannot be read: it is not UTF-8 text", next_step="save it as UTF-8") from None


def _read(path: Path, flags: int, most_bytes: int) -> bytes:
    descriptor = os.open(path, flags)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise _no_file(path)
        content = b"" if info.st_size > most_bytes else file.read(info.st_size + 1)  # as much memory is taken
    if max(info.st_size, len(content)) > most_bytes:
        raise DamagedFile(
            f"{path} has more than {most_bytes:,} bytes: it is not read", next_step="keep in it what is needed"
        )
    return content


def read_json_inside(folder: Path, relative: str, *, most_bytes: int) -> dict[str, Any]:
    """The JSON object in a file below a folder that somebody else may have given.

    Raises as `read_inside` does, and DamagedFile for anything else than one object as `parse_json` takes it.
    """
    content = read_inside(folder, relative, most_bytes=most_bytes)
    try:
        value = parse_json(content)
        if not isinstance(value, dict):
            raise TypeError("it is no JSON object")
    except (ValueError, TypeError) as error:
        raise DamagedFile(
            f"{folder / relative} cannot be read: {cleaned(str(error), most=200)}",
            next_step="restore it from a copy, or leave it out",
        ) from error
    return value


def escaped(text: str) -> str:
    """`text` for a terminal, whoever wrote it: all but the ends of lines is a visible character, or spelled out.

    Control characters, those that change the direction of what follows, and marks heaped on one letter are spelled out.
    """
    return "\n".join(map(_spelled_out, text.split("\n")))


def _spelled_out(line: str) -> str:
    if line.isprintable() and (line.isascii() or not _HEAPED.search(line)):
        return line
    spelled = "".join(c if c.isprintable() else _spelled(c) for c in line)
    return _HEAPED.sub(lambda heap: "".join(map(_spelled, heap[0])), spelled)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def cleaned(text: str, *, most: int) -> str:
    """`text` for a terminal, whoever wrote it, as `escaped` but on one line of at most `most` characters."""
    shown = escaped(text[:most]).replace("\n", "\\n")
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
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DamagedFile:
    return DamagedFile(
        f"{path} cannot be read: {error.strerror or error}", next_step="fix its permissions, or leave it out"
    )


def _is_link(info: os.stat_result) -> bool:
    return stat.S_ISLNK(info.st_mode) or getattr(info, "st_reparse_tag", 0) in _WINDOWS_LINKS


def _no_file(path: Path) -> DamagedFile:
    return DamagedFile(f"{path} is no plain file: it is not read", next_step="put a file there; a link to one will do")


def _refused(path: Path, why: str) -> DamagedFile:
    return DamagedFile(f"{path} {why}: it is not used", next_step="a record holds plain files; do not use this one")
