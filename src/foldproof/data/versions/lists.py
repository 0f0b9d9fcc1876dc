"""Check DVC's list of a folder's files before any path or hash in it is used. Pure.

A list comes from a remote or a cache that somebody else may have filled: it is taken as a whole or not at all.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from foldproof.data.walk import NOT_VERSIONED
from foldproof.errors import DamagedFile, DataError
from foldproof.storage import Md5, RelativePath, cleaned

MOST_BYTES = 2**30
MOST_FILES = 10_000_000
_KEYS = frozenset({"md5", "relpath"})
_NEXT_STEP = "do not use it; ask whoever versioned these images for an intact one"

Files: TypeAlias = Mapping[RelativePath, Md5]


def listed(content: bytes, name: str) -> Files:
    """Paths and hashes of a `.dir` list. Raises DataError, which names the list, for anything that DVC never writes."""
    if len(content) > MOST_BYTES:
        raise refused(name, f"has more than {MOST_BYTES:,} bytes")
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError):
        raise refused(name, "is no JSON") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() == _KEYS for row in rows):
        raise refused(name, "holds something else than pairs of a path and an MD5")
    return checked(((row["relpath"], row["md5"]) for row in rows), name)


def checked(pairs: Iterable[tuple[Any, Any]], name: str) -> Files:
    """These paths and hashes, where they can be files of one folder. Raises DataError, which names the list."""
    files: dict[RelativePath, Md5] = {}
    folders: set[str] = set()
    for number, (path, md5) in enumerate(pairs):
        if number >= MOST_FILES:
            raise refused(name, f"names more than {MOST_FILES:,} files")
        relative, value = _path(path, name), _of_a_file(md5, name)
        if relative in files:
            raise refused(name, f"names {relative!a} twice")
        files[relative] = value
        _note_folders(relative, folders)
    both = next((path for path in files if path in folders), None)
    if both is not None:
        raise refused(name, f"names {both!a} as a file and as a folder")
    return files


def refused(name: str, why: str) -> DataError:
    """The error for a list, or a DVC file, that is not used."""
    return DataError(f"{name} {why}: nothing of it is used", next_step=_NEXT_STEP)


def _path(text: Any, name: str) -> RelativePath:
    try:
        path = RelativePath.parse(text)
    except DamagedFile as error:
        raise refused(name, f"is damaged: {error.what}") from None
    parts = path.split("/")  # as DVC does; PurePath takes several times as long
    if "" in parts or "." in parts or len(max(parts, key=len)) > 255:
        raise refused(name, f"names {cleaned(ascii(path), most=120)}, which DVC would not write so")
    if not NOT_VERSIONED.isdisjoint(path.casefold().split("/")):
        raise refused(name, f"names {cleaned(ascii(path), most=120)}, which DVC never versions")
    return path


def _of_a_file(text: Any, name: str) -> Md5:
    try:
        md5 = Md5.parse(text)
    except DamagedFile as error:
        raise refused(name, f"is damaged: {error.what}") from None
    if md5.endswith(".dir"):
        raise refused(name, "names a list where a file should be")
    return md5


def _note_folders(path: str, folders: set[str]) -> None:
    above = path.rpartition("/")[0]
    while above and above not in folders:
        folders.add(above)
        above = above.rpartition("/")[0]
