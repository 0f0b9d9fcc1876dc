"""New SQLite stores: copied, and the same as MLflow's own."""

import sqlite3
from contextlib import closing
from pathlib import Path

import platformdirs
import pytest

from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.store import prepare
from foldproof.trackers.mlflow.store_template import put_empty_store

pytestmark = pytest.mark.slow  # MLflow's migrations


def told(file):
    """Everything that is in a database but the times of its experiments, and the order of a table's constraints."""
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT type, name, sql FROM sqlite_master")
        tables = sorted((kind, name, sorted((sql or "").replace(",", "").split("\n"))) for kind, name, sql in found)
        rows = {
            name: [
                [value for value in row if not str(value).startswith("17")]
                for row in database.execute(f'SELECT * FROM "{name}"')
            ]
            for kind, name, _ in tables
            if kind == "table"
        }
    return tables, rows


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home of # 100%"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return Path(platformdirs.user_cache_path("foldproof", appauthor=False)) / "mlflow"


def opened(folder, *, experiment="x"):
    folder.mkdir()
    file = folder / "mlflow.db"
    prepare(TrackingTarget(uri=f"sqlite:///{file}", experiment=experiment, artifacts=Path("/a")), lambda _: None)
    return file


def test_a_copied_store_holds_what_mlflow_itself_makes(tmp_path, kept, monkeypatch):
    copied = opened(tmp_path / "copied")
    (empty,) = kept.glob("empty-*.db")
    put_empty_store(tmp_path / "alone.db")
    assert (tmp_path / "alone.db").read_bytes() == empty.read_bytes()
    monkeypatch.setattr("foldproof.trackers.mlflow.store.put_empty_store", lambda _: None)
    own = opened(tmp_path / "own")
    assert told(copied) == told(own)


def test_a_kept_store_that_is_damaged_is_made_anew(tmp_path, kept):
    opened(tmp_path / "first")
    (empty,) = kept.glob("empty-*.db")
    whole = told(empty)
    empty.write_bytes(empty.read_bytes()[:20_000])
    opened(tmp_path / "second")
    assert told(empty) == whole


def test_where_nothing_can_be_kept_mlflow_makes_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    assert opened(tmp_path / "alone").stat().st_size > 100_000


def test_what_stands_in_a_store_stays(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"mine")
    put_empty_store(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_bytes() == b"mine"
