"""A project that was moved or copied with its MLflow store: where files of its runs go, and what is said."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.trackers import TrackerContext, TrackingTarget
from foldproof.trackers.mlflow.store import ENVIRONMENT, prepare
from foldproof.trackers.mlflow.sync import sync
from foldproof.trackers.mlflow.tracker import MlflowTracker
from journaled import JournaledRun

FIRST, SECOND = "20260102-030405-abcdef", "20260102-030405-bcdefa"
OF_A_FOLD = ("events.jsonl", "model.safetensors", "predictions.parquet")


def no_pulse(seconds: float) -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, ENVIRONMENT[name])


def forget_folders() -> None:
    """MLflow's client remembers them by run; a project is moved between two commands, which are two processes."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    _artifact_repos_cache.clear()


def target(home: Path) -> TrackingTarget:
    return TrackingTarget(
        uri=f"sqlite:///{home / 'mlflow.db'}", experiment="owls", artifacts=home / "mlartifacts", trusted=False
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with one run, which MLflow has."""
    home = tmp_path / "before"
    home.mkdir()
    (home / "params.yaml").write_text("{}\n")
    JournaledRun.make(home / "runs", FIRST).complete()
    report = sync([home / "runs" / FIRST], target(home))
    assert (report.created, report.notes) == (1, ())
    forget_folders()
    return home


def places(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "mlflow.db")) as database:
        return [
            place
            for asked in (
                "SELECT artifact_location FROM experiments WHERE name != 'Default'",
                "SELECT artifact_uri FROM runs",
            )
            for (place,) in database.execute(asked)
        ]


def files(home: Path) -> dict[str, list[str]]:
    """By the folder of a run of MLflow's: the names of its files."""
    return {
        run.parent.name: sorted(str(file.relative_to(run)) for file in run.rglob("*") if file.is_file())
        for run in (home / "mlartifacts").glob("*/artifacts")
    }


@pytest.mark.slow
def test_files_of_a_moved_project_are_found_and_new_ones_lie_beside_them(home):
    there = home.with_name("there")
    before = files(home)
    home.rename(there)
    JournaledRun.make(there / "runs", SECOND).complete()
    report = sync([there / "runs" / FIRST, there / "runs" / SECOND], target(there))
    assert (report.created, report.completed, report.problems) == (1, 0, ())
    assert report.notes == (
        f"mlflow.db comes from {home}: the files of its runs are kept and looked for in {there} now",
    )
    assert all(str(there) in place for place in places(there))
    assert not home.exists()
    after = files(there)
    assert before.items() < after.items()
    assert len(after) == 2 * len(before)
    assert sync([there / "runs" / FIRST], target(there)).notes == ()


@pytest.mark.slow
def test_an_experiment_that_is_called_like_the_folder_is_renamed_with_it(tmp_path):
    home = tmp_path / "here"
    JournaledRun.make(home / "runs", FIRST).complete()
    named = replace(target(home), experiment=home.name)
    assert sync([home / "runs" / FIRST], named).created == 1
    forget_folders()
    there = home.with_name("there")
    home.rename(there)
    report = sync([there / "runs" / FIRST], replace(target(there), experiment="there"))
    assert (report.created, report.completed) == (0, 0)


@pytest.mark.slow
def test_a_copy_leaves_the_original_alone(home):
    copy = home.with_name("copy")
    before = files(home), places(home)
    shutil.copytree(home, copy)
    JournaledRun.make(copy / "runs", SECOND).complete()
    report = sync([copy / "runs" / SECOND], target(copy))
    assert (report.created, report.problems) == (1, ())
    assert (files(home), places(home)) == before
    assert len(files(copy)) == 2 * len(files(home))


@pytest.mark.slow
def test_files_that_did_not_come_along_are_brought_from_the_runs_and_those_that_cannot_be_are_said_to_be_gone(home):
    there = home.with_name("there")
    store, before = prepare(target(home), no_pulse), files(home)
    store.client.log_text(store.client.create_run(store.experiment_id).info.run_id, "by hand", "note.txt")
    forget_folders()
    home.rename(there)
    shutil.rmtree(there / "mlartifacts")
    report = sync([there / "runs" / FIRST], target(there))
    assert (report.created, report.completed) == (0, 1)
    assert files(there) == before
    assert report.notes[-1] == f"the files of 1 run in mlflow.db are not here: they lay in {home}"


@pytest.mark.slow
def test_files_that_somebody_deleted_are_not_already_the_same(home):
    model = next((home / "mlartifacts").rglob("model.safetensors"))
    model.unlink()
    assert sync([home / "runs" / FIRST], target(home)).completed == 1
    assert model.is_file()
    assert sync([home / "runs" / FIRST], target(home)).completed == 0


def test_runs_whose_files_are_nowhere_are_counted(home):
    there = home.with_name("there")
    home.rename(there)
    shutil.rmtree(there / "mlartifacts")
    report = sync([], target(there))
    assert report.notes[-1] == f"the files of 4 runs in mlflow.db are not here: they lay in {home}"


def test_a_place_that_is_nobodys_project_stays_as_it_was_chosen(home, tmp_path):
    chosen = tmp_path / "shelf"
    (chosen / "mlartifacts").mkdir(parents=True)
    with closing(sqlite3.connect(home / "mlflow.db")) as database, database:
        database.execute("UPDATE experiments SET artifact_location = ?", [(chosen / "mlartifacts").as_uri()])
    before = places(home)
    store = prepare(target(home), no_pulse)
    assert store.moved is None
    assert places(home) == before


@pytest.mark.slow
def test_a_run_that_ends_in_a_moved_project_says_so(home):
    there = home.with_name("there")
    home.rename(there)
    JournaledRun.make(there / "runs", SECOND).complete()
    context = TrackerContext(
        folders=(there / "runs" / SECOND,), plans=(), target=target(there), quiet=True, parallel_folds=1
    )
    (notice,) = MlflowTracker(context).close()
    assert notice.text.startswith(f"MLflow: mlflow.db comes from {home}: ")
