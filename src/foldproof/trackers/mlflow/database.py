"""Say why this MLflow cannot keep runs in a database, and what to do about it. Only reads.

MLflow itself would bring an older database up to date without a word, and put its tables beside those of others.
"""

import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any

from foldproof.storage import redact
from foldproof.trackers.mlflow.reasons import Reason

_MIGRATIONS = Path("store", "db_migrations", "versions")
_REVISION = re.compile(r"^(down_)?revision\b[^=\n]*=\s*[\"'](\w+)[\"']", re.MULTILINE)


@dataclass(frozen=True)
class StoredExperiment:
    """An experiment as the database has it."""

    id: str
    is_active: bool


def why_unusable(file: Path) -> Reason | None:
    """None for a store of this MLflow, and where there is none yet."""
    if not file.exists():
        return None
    if not file.is_file():
        return Reason(f"{file.name} is not a file", "set another tracking.uri")
    try:
        with closing(_read_only(file)) as database:
            tables = {str(name) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            found = None
            if "alembic_version" in tables:
                found = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        return Reason(
            f"{file.name} cannot be read: {error}", "fix the permissions, or wait for the process that writes to it"
        )
    except sqlite3.DatabaseError:
        return Reason(f"{file.name} is damaged, or not a database", f"`mv {quote(str(file))} {quote(f'{file}.bad')}`")
    if tables and found is None:
        return Reason(f"{file.name} is a database of something other than MLflow", "set another tracking.uri")
    if found is not None and (why := check_revision(str(found[0]), f"sqlite:///{file}", copy_of=file)):
        return why
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        return Reason(f"{file.name} may not be written to", f"fix its permissions: `chmod u+w {quote(str(file))}`")
    return None


def check_revision(revision: str, uri: str, *, copy_of: Path | None = None) -> Reason | None:
    """Why a database of this revision of MLflow's tables does not fit the MLflow that is installed."""
    revisions = known_revisions()
    here = f"MLflow {version('mlflow')}"
    if not revisions or revision == revisions[-1]:
        return None
    if revision not in revisions:
        return Reason(f"the database is of a newer MLflow than {here}", "`pip install --upgrade mlflow`")
    first = f"`cp {quote(str(copy_of))} {quote(f'{copy_of}.bak')}`" if copy_of else "take a copy of it"
    return Reason(
        f"the database is of an older MLflow ({revision}), which {here} does not use as it is",
        f"{first}, then `mlflow db upgrade {quote(redact(uri))}`",
    )


def known_revisions() -> tuple[str, ...]:
    """The revisions of its tables that the installed MLflow knows, the newest last; none where that is not to be seen.

    As its files say it: importing them takes seconds.
    """
    found = find_spec("mlflow")
    folders = [Path(one) / _MIGRATIONS for one in (found.submodule_search_locations or ())] if found else []
    before: dict[str, str] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.py"))):
        said = dict(_REVISION.findall(file.read_text(encoding="utf-8")))
        if "" in said:
            before[said[""]] = said.get("down_", "")
    newest = [revision for revision in before if revision not in before.values()]
    if len(newest) != 1:
        return ()
    return (*(revision for revision in before if revision != newest[0]), newest[0])


def experiment_in(file: Path, name: str) -> StoredExperiment | None:
    """The experiment of that name, if the database has it. Raises sqlite3.Error."""
    if not file.is_file() or not file.stat().st_size:
        return None
    asked = "SELECT experiment_id, lifecycle_stage FROM experiments WHERE name = ?"
    with closing(_read_only(file)) as database:
        found = database.execute(asked, (name,)).fetchone()
    return None if found is None else StoredExperiment(str(found[0]), found[1] == "active")


def why_unusable_elsewhere(uri: str) -> Reason | None:
    """The same of a database behind a driver. Raises what the driver does where it cannot be reached."""
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(uri)
    try:
        with engine.connect() as connection:
            if "alembic_version" not in inspect(connection).get_table_names():
                return None
            found: Any = connection.execute(text("SELECT version_num FROM alembic_version")).fetchone()
    finally:
        engine.dispose()
    return check_revision(str(found[0]), uri) if found else None


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
