"""Connect to an SQLite file whose content can be rebuilt, or to a database in memory."""

import sqlite3
from contextlib import suppress
from pathlib import Path

WAIT_SECONDS = 10.0  # for another process that writes


def scratch_database(file: Path | None, tables: str) -> sqlite3.Connection:
    """The database in `file`, made where there is none or a damaged one; in memory where it cannot be used."""
    if file is not None:
        with suppress(sqlite3.Error, OSError):  # no folder can be made there, it is read only, or locked for long
            try:
                return _connect(file, tables)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                file.unlink()
                return _connect(file, tables)
    return _connect(None, tables)


def passes_quick_check(database: sqlite3.Connection) -> bool:
    """Whether SQLite finds the file in order: it reads all of it."""
    return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))


def _connect(file: Path | None, tables: str) -> sqlite3.Connection:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(":memory:" if file is None else file, timeout=WAIT_SECONDS)
    try:
        if not passes_quick_check(database):
            raise sqlite3.DatabaseError("damaged")
        database.executescript(tables)
    except sqlite3.Error:
        database.close()
        raise
    return database
