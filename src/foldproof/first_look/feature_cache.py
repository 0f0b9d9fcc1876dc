"""Features of images, kept from one look to the next: a row by its content in, the same row, or nothing, out.

An SQLite file that several processes share. A row is named by the image's content and by all that its numbers depend on
besides; it is checked when it is read. Everything in it can be computed anew, so nothing here ever fails a look.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from foldproof.storage.scratch import scratch_database

MOST_ROWS = 150_000  # of 5 KB each
_TABLES = """
CREATE TABLE IF NOT EXISTS rows (
    space TEXT, image TEXT, row BLOB, checksum INTEGER, used INTEGER, PRIMARY KEY (space, image)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON rows (used);
"""

Row = NDArray[np.float32]


class FeatureCache:
    """Open it as a context. Without a file, or where none can be written, it keeps nothing."""

    def __init__(self, file: Path | None, *, most_rows: int = MOST_ROWS) -> None:
        self._file = file
        self._most = most_rows

    def __enter__(self) -> Self:
        self._database = scratch_database(self._file, _TABLES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(sqlite3.Error):
            self._make_room()
        self._database.close()

    def rows(self, key: str, images: Iterable[str]) -> dict[str, Row]:
        """The rows of those of `images`, named by content hash, that are there and whole.  # [feature] float32 each"""
        found: dict[str, Row] = {}
        with suppress(sqlite3.Error), self._database:
            for image in images:
                stored = self._database.execute(
                    "SELECT row, checksum FROM rows WHERE space = ? AND image = ?", (key, image)
                ).fetchone()
                if stored is not None and zlib.crc32(stored[0]) == stored[1]:
                    found[image] = np.frombuffer(stored[0], dtype="<f4").astype(np.float32)
            self._database.executemany(
                "UPDATE rows SET used = ? WHERE space = ? AND image = ?",
                [(time.time_ns(), key, image) for image in found],
            )
        return found

    def keep(self, key: str, rows: Mapping[str, Row]) -> None:
        """Store rows by the content hashes of their images."""
        stored = {image: row.astype("<f4").tobytes() for image, row in rows.items()}
        with suppress(sqlite3.Error), self._database:  # a full disk or a lock costs the memory, not the result
            self._database.executemany(
                "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)",
                [(key, image, row, zlib.crc32(row), time.time_ns()) for image, row in stored.items()],
            )

    def _make_room(self) -> None:
        """Drop the rows that have not been used for longest where there are too many."""
        (count,) = self._database.execute("SELECT count(*) FROM rows").fetchone()
        if count > self._most:
            with self._database:
                self._database.execute(
                    "DELETE FROM rows WHERE (space, image) IN (SELECT space, image FROM rows ORDER BY used LIMIT ?)",
                    (count - self._most,),
                )
            self._database.execute("VACUUM")
