"""Create an empty SQLite store by copying one, which saves MLflow's migrations.

MLflow makes a store by all migrations since its first version, which takes seconds. They are run once for each version
of MLflow; the outcome is kept among the user's caches and copied. Where that cannot be, MLflow makes its own.
"""

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import platformdirs

from foldproof.errors import StorageError
from foldproof.storage import replacing
from foldproof.storage.scratch import passes_quick_check


def put_empty_store(file: Path) -> None:
    """Put an empty store in `file` unless something is there. Whoever calls holds the lock of the store."""
    if file.exists():
        return
    with suppress(OSError, StorageError, sqlite3.Error):
        empty = _empty_store()
        if empty is not None:
            with replacing(file) as temporary:
                shutil.copyfile(empty, temporary)


def _empty_store() -> Path | None:
    """The one kept for this version of MLflow, made where it is lacking or damaged; None where it cannot be made."""
    import mlflow

    kept = platformdirs.user_cache_path("foldproof", appauthor=False) / "mlflow" / f"empty-{mlflow.__version__}.db"
    if kept.exists() and _is_whole(kept):
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as temporary:
        if not _migrate(temporary):
            return None
    return kept


def _is_whole(file: Path) -> bool:
    with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as database:
        return passes_quick_check(database) and database.execute("SELECT * FROM alembic_version").fetchone() is not None
    return False


def _migrate(file: Path) -> bool:
    """Have MLflow make its tables in `file`, but nothing in them. Whether this MLflow can be asked to."""
    from mlflow.store.db import utils
    from sqlalchemy import URL, create_engine

    engine = create_engine(URL.create("sqlite", database=str(file)))
    try:
        utils._initialize_tables(engine)  # noqa: SLF001 - nothing public makes only the tables
    except Exception:  # noqa: BLE001 - other versions may raise anything; this one then makes its own store
        return False
    finally:
        engine.dispose()
    return True
