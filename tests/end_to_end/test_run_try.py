"""`foldproof run --try`: every step of a run on few images, and no trace of it."""

import json
from pathlib import Path

import pytest

from foldproof.cli.main import run_command
from foldproof.project import Project

INLINE = ("--set", "execution.executor=inline")


@pytest.fixture
def place(tiny_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = tiny_project / "params.yaml"
    settings.write_text(settings.read_text() + "experiments: {First: {}, Second: {train: {epochs: 3}}}\n")
    monkeypatch.chdir(tiny_project)
    return tiny_project


def rehearsed(capsys, *arguments, code=0):
    assert run_command(["run", "--try", "--json", *INLINE, *arguments]) == code
    return json.loads(capsys.readouterr().out)


def files(root: Path):
    """All that people see of a project, with its content, but for MLflow's store."""
    paths = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("mlflow.db"))
    return {path: path.read_bytes() for path in paths if ".foldproof" not in path.parts}


def in_mlflow(root: Path):
    """The names of the runs in each experiment, and of those that were deleted."""
    from mlflow.entities import ViewType
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    return {
        item.name: [
            sorted(run.info.run_name for run in client.search_runs([item.experiment_id], run_view_type=view))
            for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY)
        ]
        for item in client.search_experiments()
        if item.name != "Default"
    }


@pytest.mark.slow
def test_every_step_is_tried_and_nothing_is_left(place, capsys):
    before = files(place)
    found = rehearsed(capsys)
    assert found["ok"]
    assert {step["step"] for step in found["steps"]} >= {"one epoch of one fold", "checkpoint", "report", "MLflow"}
    assert all(step["ok"] and step["seconds"] >= 0 for step in found["steps"])
    assert [one["folds"] for one in found["whole"]["experiments"]] == [3, 3]
    assert found["whole"]["seconds"] > 0
    assert files(place) == before
    assert not (place / ".foldproof" / "try").exists()
    assert in_mlflow(place) == {"project-try": [[], ["First", "Second", "fold-0", "fold-0"]]}
    assert run_command(["runs"]) == 0
    assert "First" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.thorough
def test_runs_folds_and_comparison_do_not_notice(place, capsys):
    assert run_command(["run", "First", *INLINE, "--quiet"]) == 0
    capsys.readouterr()
    before, tracked = files(place), in_mlflow(place)
    assert run_command(["compare", "--json"]) == 0
    compared = capsys.readouterr().out
    assert rehearsed(capsys, "First", "--set", "folds.seed=9")["ok"]
    assert files(place) == before
    assert in_mlflow(place)["project"] == tracked["project"]
    assert run_command(["compare", "--json"]) == 0
    assert capsys.readouterr().out == compared


@pytest.mark.slow
def test_a_training_that_fails_is_found_with_its_reason(place, capsys):
    found = rehearsed(capsys, "First", "--set", "train.lr=1e30", "--set", "tracking.enabled=false", code=1)
    problems = {step["step"]: step["problem"] for step in found["steps"] if not step["ok"]}
    assert "the loss is" in problems["one epoch of one fold"]
    assert "images decoded, folds made" not in problems
    assert Path(found["kept"]).is_dir()
    assert not (place / "runs").exists()
    assert rehearsed(capsys, "First", "--set", "tracking.enabled=false")["kept"] is None
    assert not (place / ".foldproof" / "try").exists()


@pytest.mark.slow
@pytest.mark.thorough
def test_a_server_that_is_not_there_is_found(place, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    found = rehearsed(capsys, "First", "--set", "tracking.uri=http://127.0.0.1:9", code=1)
    assert [step["step"] for step in found["steps"] if not step["ok"]] == ["MLflow"]
    assert Project.find(place).run_folders() == ()


def test_a_rehearsal_goes_with_no_choice_of_folds(place, capsys):
    assert run_command(["run", "--try", "--fold", "1"]) == 2
    assert "--try is of one fold" in capsys.readouterr().err
