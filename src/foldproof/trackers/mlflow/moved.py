"""Follow a store that was moved or copied with its project: correct where its files lie, and say so.

MLflow keeps absolute places. Without this, a project that was moved would send files of its runs to where it was, and
one that was copied to the project that it is a copy of.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from foldproof.config.schema import SETTINGS_FILES
from foldproof.storage import cleaned
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.places import kept_folders, lies_within, local_path
from foldproof.trackers.mlflow.target import sqlite_file

_PLACES = (("experiments", "experiment_id", "artifact_location"), ("runs", "run_uuid", "artifact_uri"))
_WAIT_SECONDS = 10.0  # for another process that writes


@dataclass(frozen=True)
class Moved:
    """`before`: where the project was; `folders`: where the files of each of the store's runs lie now, if anywhere."""

    file: Path
    before: Path
    folders: tuple[Path, ...]

    @property
    def said(self) -> str:
        """From where, and where files are now."""
        was, now = (cleaned(str(one), most=200) for one in (self.before, self.file.parent))
        return f"{self.file.name} comes from {was}: the files of its runs are kept and looked for in {now} now"

    @property
    def gone(self) -> str:
        """How many runs have no files here, whoever made them; empty where all have."""
        lacking = sum(not folder.is_dir() for folder in self.folders)
        runs = f"{lacking:,} run{'s' if lacking != 1 else ''}"
        was = cleaned(str(self.before), most=200)
        return f"the files of {runs} in {self.file.name} are not here: they lay in {was}" if lacking else ""


def follow_the_project(target: TrackingTarget) -> Moved | None:
    """Correct the places of a store in the project's folder where they name the folder that this project was in
    before, or is a copy of. None where there is nothing to do. Raises sqlite3.Error.
    """
    file = sqlite_file(target.uri)
    if file is None or target.artifacts is None or not file.is_file() or not file.stat().st_size:
        return None
    home = target.artifacts.parent
    if file.resolve().parent != home.resolve():
        return None
    with closing(sqlite3.connect(file, timeout=_WAIT_SECONDS)) as database, database:
        found = _formerly(database, target.artifacts)
        if found is None:
            return None
        database.execute("BEGIN IMMEDIATE")
        for table, key, column in _PLACES:
            rows = database.execute(f"SELECT {key}, {column} FROM {table}").fetchall()  # noqa: S608 - names of ours
            new = [(to, name) for name, place in rows if (to := _now(place or "", found, home))]
            database.executemany(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", new)  # noqa: S608
    folders = [local_path(to) for to, _ in new]  # of the runs, which come last
    return Moved(file, found, tuple(folder for folder in folders if folder is not None))


def _formerly(database: sqlite3.Connection, artifacts: Path) -> Path | None:
    """The folder that the project was in, or the project that this one is a copy of, by the places of experiments."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "experiments" not in tables:
        return None
    kept = kept_folders(artifacts)
    for (place,) in database.execute("SELECT artifact_location FROM experiments ORDER BY experiment_id").fetchall():
        folder = _project_of(place or "", [one.name for one in kept])
        if folder is not None and not lies_within(folder / artifacts.name, kept) and _was_a_project(folder):
            return folder
    return None


def _project_of(location: str, names: Iterable[str]) -> Path | None:
    """What lies above the project's own folder of files that a place names; None where it names none."""
    path = local_path(location)
    if path is None or not path.is_absolute() or ".." in path.parts:
        return None
    kept = [at for at, part in enumerate(path.parts) if part in names]
    return Path(*path.parts[: kept[-1]]) if kept else None


def _was_a_project(folder: Path) -> bool:
    """Whether nothing is there any more, or a project is."""
    return not folder.exists() or any((folder / name).is_file() for name in SETTINGS_FILES)


def _now(location: str, before: Path, home: Path) -> str:
    path = local_path(location)
    if path is None or ".." in path.parts or not path.is_relative_to(before):
        return ""
    to = home / path.relative_to(before)
    return to.as_uri() if location.startswith("file:") else str(to)
