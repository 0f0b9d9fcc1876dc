"""Databases as MLflow finds them: of another version, of another program, damaged, with what was deleted in them."""

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from foldproof.config.schema import TrackingSettings
from foldproof.doctor.check import ProjectCheck
from foldproof.doctor.tracking import check_mlflow
from foldproof.errors import TrackingError
from foldproof.project import Project
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.database import known_revisions, why_unusable, why_unusable_elsewhere
from foldproof.trackers.mlflow.reasons import explained
from foldproof.trackers.mlflow.store import ENVIRONMENT, LATER, one_line_of, prepare
from foldproof.trackers.mlflow.target import read_here, read_instead, resolve_target


def no_pulse(seconds: float) -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, ENVIRONMENT[name])


@pytest.fixture
def target(tmp_path: Path) -> TrackingTarget:
    return TrackingTarget(
        uri=f"sqlite:///{tmp_path / 'mlflow.db'}", experiment=tmp_path.name, artifacts=tmp_path / "mlartifacts"
    )


def file_of(target: TrackingTarget) -> Path:
    return Path(target.uri.removeprefix("sqlite:///"))


def sql(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)


def doctor(target: TrackingTarget, **settings: object) -> ProjectCheck:
    project = Project(file_of(target).with_name("params.yaml"))
    return check_mlflow(project, TrackingSettings(**settings), {})


def made_by_an_older_mlflow(file: Path, revision: str) -> None:
    """The tables as that revision has them, by MLflow's own migrations."""
    from alembic import command
    from mlflow.store.db import utils
    from mlflow.store.db.base_sql_model import Base  # noqa: F401 - MLflow's tables are known only then
    from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{file}")
    InitialBase.metadata.create_all(engine)
    config = utils._get_alembic_config(str(engine.url))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_the_newest_revision_is_mlflows_own():
    from mlflow.store.db.utils import _get_latest_schema_revision

    assert known_revisions()[-1] == _get_latest_schema_revision()
    assert len(known_revisions()) > 60


@pytest.mark.slow
def test_a_store_of_this_mlflow_and_one_that_is_not_there_yet_are_in_order(target):
    assert why_unusable(file_of(target)) is None
    prepare(target, no_pulse)
    assert why_unusable(file_of(target)) is None
    assert doctor(target) == ProjectCheck("tracking", "ok", target.uri)
    assert why_unusable_elsewhere(target.uri) is None


@pytest.mark.slow
def test_an_older_database_is_left_as_it_is_and_what_is_said_brings_it_up_to_date_beside_a_copy(target, tmp_path):
    file = file_of(target)
    made_by_an_older_mlflow(file, "bf29a5ff90ea")
    before = file.read_bytes()
    with pytest.raises(TrackingError, match="of an older MLflow") as raised:
        prepare(target, no_pulse)
    assert len(str(raised.value).splitlines()) == 2
    check = doctor(target)
    assert check.state == "note"
    for told in (one_line_of(raised.value), check.next_step):
        assert f"cp {file} {file}.bak" in told
        assert f"mlflow db upgrade {target.uri}" in told
    assert file.read_bytes() == before
    python = Path(sys.executable)
    for typed in re.findall(r"`((?:cp|mlflow) [^`]+)`", check.next_step):
        done = subprocess.run(shlex.split(typed), env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"})
        assert done.returncode == 0
    assert file.with_name("mlflow.db.bak").read_bytes() == before
    assert prepare(target, no_pulse).experiment_id


@pytest.mark.parametrize("revision", ["bf29a5ff90ea", "0123456789ab"])
def test_a_database_behind_a_driver_says_the_same_of_its_version(target, revision):
    sql(
        file_of(target),
        "CREATE TABLE alembic_version (version_num)",
        f"INSERT INTO alembic_version VALUES ('{revision}')",
    )
    here, elsewhere = why_unusable(file_of(target)), why_unusable_elsewhere(target.uri)
    assert here.text == elsewhere.text
    assert ("older" in here.text) == ("mlflow db upgrade" in elsewhere.way_on) == (revision in known_revisions())
    assert "take a copy" in elsewhere.way_on or "pip install --upgrade mlflow" in elsewhere.way_on


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"not a database" * 100, "not a database"), (None, "something other than MLflow")],
)
def test_what_is_no_store_of_mlflows_is_told_by_doctor_and_run_alike_and_stays_as_it_is(target, content, said):
    file = file_of(target)
    file.write_bytes(content) if content else sql(file, "CREATE TABLE invoices (total)")
    before = file.read_bytes()
    with pytest.raises(TrackingError, match=said):
        prepare(target, no_pulse)
    check = doctor(target)
    assert check.state == "note"
    assert said in check.said
    assert check.next_step
    assert file.read_bytes() == before


def test_a_deleted_experiment_is_told_before_the_run_with_the_line_that_brings_it_back(target):
    store = prepare(target, no_pulse)
    store.client.delete_experiment(store.experiment_id)
    check = doctor(target)
    assert check.state == "note"
    assert f"MLFLOW_TRACKING_URI={target.uri} mlflow experiments restore -x {store.experiment_id}" in check.next_step
    with pytest.raises(TrackingError) as raised:
        prepare(target, no_pulse)
    assert "MLFLOW_TRACKING_URI=" in raised.value.next_step


def test_a_folder_of_files_is_told_the_line_that_moves_its_runs_into_a_database(target, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    check = doctor(target, uri="mlruns")
    line = f"mlflow migrate-filestore --source {tmp_path / 'mlruns'} --target sqlite:///mlflow.db"
    assert check.state == "note"
    assert line in check.next_step
    with pytest.raises(TrackingError) as raised:
        prepare(TrackingTarget(uri=(tmp_path / "mlruns").as_uri(), experiment="x", artifacts=tmp_path), no_pulse)
    assert line in raised.value.next_step


def test_a_driver_that_is_not_there_is_told_before_the_run(target):
    check = doctor(target, uri="mysql://ada:hunter2@127.0.0.1:1/runs")
    assert check.state == "note"
    assert "pip install mysqlclient" in check.next_step
    assert "hunter2" not in check.said + check.next_step


def test_a_way_on_is_said_in_the_notice_and_coming_back_later_is_not():
    assert one_line_of(TrackingError("it sleeps", next_step=LATER)) == "it sleeps"
    assert one_line_of(TrackingError("it sleeps", next_step="wake it")) == "it sleeps; wake it"
    assert explained(ValueError("filesystem tracking backend"), "file:///a/mlruns", {}).way_on.startswith("`mlflow mig")


def test_what_a_notebook_told_mlflow_starts_where_mlflow_starts_it(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    project = Project(tmp_path / "elsewhere" / "params.yaml")
    before = mlflow.tracking._tracking_service.utils._tracking_uri
    try:
        mlflow.set_tracking_uri("sqlite:///mine.db")
        target = resolve_target(TrackingSettings(), project, read_here(os.environ))
        assert target.uri == f"sqlite:///{tmp_path / 'mine.db'}"
        assert read_instead(target.uri) == ""
        other = resolve_target(TrackingSettings(uri="sqlite:///ours.db"), project, read_here(os.environ))
        assert read_instead(other.uri) == "sqlite:///mine.db"
    finally:
        mlflow.set_tracking_uri(before)
    assert read_here({"A": "b"}) == {"A": "b"}


def test_where_no_mlflow_is_loaded_nothing_is_said_of_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    assert read_instead("sqlite:////x.db") == ""
