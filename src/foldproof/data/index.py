"""Remember what was found in each file until the file changes, in an SQLite database that processes share.

A row is trusted while the file's stamp is the stored one and was old when it was stored: a file that was written in the
moment it was read may be written again without its times telling. Everything in it can be recomputed.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from foldproof.data.examine import ExaminedPicture, Hashes, Stamp, Trouble
from foldproof.data.likeness import Likeness
from foldproof.data.values import Values
from foldproof.storage.scratch import scratch_database

SCHEMA_VERSION = 4  # 1 knew no pictures of more than 8 bits, 2 not the values next to their ends, 3 no "narrowed"
YOUNG_NS = 2_000_000_000  # the coarsest file system counts time in steps of two seconds
_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, device INTEGER, inode INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
    read_ns INTEGER, md5 TEXT, sha256 TEXT
) WITHOUT ROWID;
DROP TABLE IF EXISTS pictures;
DROP TABLE IF EXISTS looks;
CREATE TABLE IF NOT EXISTS seen (
    key TEXT PRIMARY KEY, format TEXT, camera TEXT, traits TEXT, width INTEGER, height INTEGER, red REAL, green REAL,
    blue REAL, spread REAL, file_bytes INTEGER, pixels TEXT, phash BLOB, thumbnail BLOB, whole INTEGER, lowest REAL,
    highest REAL, low REAL, high REAL, second_lowest REAL, second_highest REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS troubles (key TEXT PRIMARY KEY, code TEXT, said TEXT) WITHOUT ROWID;
"""


class FileIndex:
    """Open it as a context. Without a file, or where none can be written, it remembers for the length of the block."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def __enter__(self) -> Self:
        self._database = scratch_database(self._file, _TABLES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def stored(self) -> dict[str, tuple[Stamp, Hashes]]:
        """By path, the files that were older than their row when that was made."""
        rows = self._database.execute(
            "SELECT path, device, inode, size, mtime_ns, ctime_ns, md5, sha256 FROM files"
            " WHERE max(mtime_ns, ctime_ns) + ? <= read_ns",
            (YOUNG_NS,),
        )
        return {row[0]: (Stamp._make(row[1:6]), Hashes._make(row[6:8])) for row in rows}

    def pictures(self) -> dict[str, ExaminedPicture | Trouble]:
        """What the contents were found to show, by key."""
        found: dict[str, ExaminedPicture | Trouble] = {
            key: Trouble(code, said) for key, code, said in self._database.execute("SELECT * FROM troubles")
        }
        for key, *row in self._database.execute("SELECT * FROM seen"):
            found[key] = _picture(row)
        return found

    def keep(
        self,
        files: Iterable[tuple[str, Stamp, Hashes]],
        pictures: Mapping[str, ExaminedPicture | Trouble],
        *,
        read_ns: int,
    ) -> None:
        """Store what was found in files that were read after `read_ns`, in nanoseconds since 1970."""
        with suppress(sqlite3.Error), self._database:  # a full disk or a lock costs the memory, not the result
            self._database.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((path, *stamp, read_ns, *hashes) for path, stamp, hashes in files),
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(key, *_row(found)) for key, found in pictures.items() if isinstance(found, ExaminedPicture)],
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO troubles VALUES (?, ?, ?)",
                [(key, found.code, found.text) for key, found in pictures.items() if isinstance(found, Trouble)],
            )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop the rows of files that are gone."""
        with suppress(sqlite3.Error), self._database:
            self._database.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))

    def keep_only(self, keys: Collection[str]) -> None:
        """Drop what was found in contents that are in no file any more; for when they outnumber the others."""
        with suppress(sqlite3.Error), self._database:
            for table in ("seen", "troubles"):
                rows = self._database.execute(f"SELECT key FROM {table}")  # noqa: S608 (one of two words)
                gone = [row for row in rows if row[0] not in keys]
                self._database.executemany(f"DELETE FROM {table} WHERE key = ?", gone)  # noqa: S608


def _row(picture: ExaminedPicture) -> tuple[object, ...]:
    return (
        picture.format,
        picture.camera,
        " ".join(picture.traits),
        picture.width,
        picture.height,
        *picture.colour,
        picture.spread,
        picture.file_bytes,
        picture.pixels,
        picture.likeness.phash.to_bytes(8, "big"),
        picture.likeness.thumbnail,
        *(picture.values or (None,) * len(Values._fields)),
    )


def _picture(row: Sequence[Any]) -> ExaminedPicture:
    kind, camera, traits, width, height, red, green, blue, spread, file_bytes, pixels, phash, thumbnail, *values = row
    likeness = Likeness(int.from_bytes(phash, "big"), thumbnail)
    told, colour = tuple(traits.split()), (red, green, blue)
    measured = None if values[0] is None else Values(bool(values[0]), *values[1:])
    return ExaminedPicture(kind, camera, told, width, height, colour, spread, file_bytes, pixels, likeness, measured)
