"""Parse names that somebody else may have written into types that can hold nothing harmful.

Paths, hashes, commits and run ids of a record, a DVC file or a repository pass through `parse` where they are read;
whatever opens, writes, removes or hands them to git takes only these types.
"""

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import ClassVar, Self

from foldproof.errors import DamagedFile

_NEXT_STEP = "do not use what says so; ask whoever made it for a new copy"
_WINDOWS = os.name == "nt"


class _Name(str):
    """Text that fits `_form`. `parse` is the only way in."""

    __slots__ = ()
    _form: ClassVar[re.Pattern[str]]
    _what: ClassVar[str]

    @classmethod
    def parse(cls, text: object) -> Self:
        """`text` as this type. Raises DamagedFile where it is not of its form."""
        if not isinstance(text, str) or cls._form.fullmatch(text) is None or not cls._fits(text):
            raise DamagedFile(f"{cls._what} was expected, not {_shown(text)}", next_step=_NEXT_STEP)
        return cls(text)

    @classmethod
    def _fits(cls, text: str) -> bool:  # noqa: ARG003
        return True


class Sha256(_Name):
    """A SHA-256 in lower-case hexadecimal digits."""

    __slots__ = ()
    _form = re.compile("[0-9a-f]{64}")
    _what = "a SHA-256"


class Md5(_Name):
    """An MD5 as DVC names objects by it; with `.dir` it is that of a list of files."""

    __slots__ = ()
    _form = re.compile(r"[0-9a-f]{32}(\.dir)?")
    _what = "an MD5"


class Commit(_Name):
    """The full hash of a git commit: never an option, a range or the name of a ref."""

    __slots__ = ()
    _form = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
    _what = "a git commit"


class RunId(_Name):
    """The id of a run, which is the name of its folder."""

    __slots__ = ()
    _form = re.compile(r"\w[\w.-]{0,99}", re.ASCII)
    _what = "a run id"


class FileName(_Name):
    """The name of one file or folder: no separator, no `.` or `..`, nothing that a system reads as another place."""

    __slots__ = ()
    _form = re.compile(r"[^/\0]{1,255}")
    _what = "a file's name"

    @classmethod
    def _fits(cls, text: str) -> bool:
        return text not in (".", "..") and _is_encodable(text) and _is_one_place(text)


class RelativePath(_Name):
    """A path below some folder, with slashes: never absolute, never upwards, in its shortest spelling.

    A backslash is part of a name where the system allows that, and refused on Windows.
    """

    __slots__ = ()
    _form = re.compile(r"[^\0]{1,4096}")
    _what = "a path below its folder"

    @classmethod
    def _fits(cls, text: str) -> bool:
        pure = PurePosixPath(text)
        return (
            not pure.is_absolute()
            and bool(pure.parts)
            and ".." not in pure.parts
            and _is_encodable(text)
            and all(_is_one_place(part) for part in pure.parts)
        )

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self).parts

    def below(self, folder: Path) -> Path:
        """Where it is below `folder`. Links on the way are not looked at: `regular_inside` and `create_inside` do."""
        return folder.joinpath(*self.parts)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_one_place(part: str) -> bool:
    """Whether a part of a path is one name on this system: Windows has drives, streams and backslashes."""
    return not _WINDOWS or not ("\\" in part or ":" in part or PureWindowsPath(part).is_reserved())


def _shown(text: object) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 120 else f"{shown[:119]}…"
