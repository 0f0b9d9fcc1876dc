"""`foldproof run NAME --fold F --reseed`: the same split, another seed, a run of its own that is nobody's newest."""

import json
from pathlib import Path

import pytest

from foldproof.cli.main import run_command
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.trackers.mlflow.desired_runs import desired_runs
from foldproof.trackers.mlflow.run_folder import RunReader

QUIET = ("--set", "execution.executor=inline", "--set", "tracking.enabled=false", "--quiet")


@pytest.fixture
def place(tiny_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two experiments of which the first has run."""
    settings = tiny_project / "params.yaml"
    settings.write_text(settings.read_text() + "experiments: {First: {}, Second: {train: {lr: 0.01}}}\n")
    monkeypatch.chdir(tiny_project)
    return tiny_project


def typed(*arguments: str) -> int:
    return run_command(list(arguments))


def runs(root: Path) -> list[RunRecord]:
    return [RunRecord.read(folder) for folder in Project.find(root).run_folders()]


@pytest.mark.slow
def test_a_fold_is_trained_again_and_no_command_takes_it_for_the_experiment(place, capsys):
    assert typed("run", "First", *QUIET) == 0
    capsys.readouterr()
    assert typed("run", "First", "--fold", "1", "--reseed", *QUIET) == 0
    assert "fold 1 scored" in capsys.readouterr().out
    original, again = sorted(runs(place), key=lambda record: "reseed_of" in record.facts)
    assert again.facts["reseed_of"] == {"run": original.run, "repeat": 0, "fold": 1}
    assert again.facts["config"]["train"]["seed"] == original.facts["config"]["train"]["seed"] + 1
    assert (list(again.finished), again.status) == ([(0, 1)], "finished")
    assert again.facts["folds_digest"] == original.facts["folds_digest"]
    seeds = {record.fold_started[0, 1].weights_sha256 for record in (original, again)}
    assert len(seeds) == 2

    assert typed("compare", "--json") == 0
    assert [line["run"] for line in json.loads(capsys.readouterr().out)["runs"]] == [original.run]
    assert typed("compare", "First", "--json") == 0
    assert [line["run"] for line in json.loads(capsys.readouterr().out)["runs"]] == [original.run]

    assert typed("runs") == 0
    shown = capsys.readouterr().out
    assert "First fold 1 again" in shown
    assert "1/1" in shown
    assert typed("runs", "--json") == 0
    told = {run["run"]: run for run in json.loads(capsys.readouterr().out)}
    assert (told[again.run]["folds_expected"], told[again.run]["reseed_of"]["fold"]) == (1, 1)
    assert told[original.run]["reseed_of"] is None

    assert typed("run", "First", "--resume", *QUIET) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert len(runs(place)) == 2

    reader = RunReader(again.folder)
    reader.look()
    parent, child = desired_runs(reader.content(), abandoned=False)
    assert (parent.name, child.name) == ("First fold 1 again", "fold-1")
    assert not [point for point in parent.points if point.key.startswith("cv_")]

    assert typed("run", "First", "--fold", "1", "--reseed", "--json", *QUIET) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["reseed_of"]["run"] == original.run
    assert told["diagnosis"]["evidence"]["seed"] == original.facts["config"]["train"]["seed"] + 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("First", "--reseed"), "say which"),
        (("First", "--fold", "1", "--reseed", "--resume"), "say which"),
        (("--fold", "1", "--reseed"), "name one"),
        (("First", "Second", "--fold", "1", "--reseed"), "name one"),
        (("First", "--fold", "0,1", "--reseed"), "name one"),
        (("First", "--fold", "1", "--reseed"), "foldproof run First"),
        (("First", "--fold", "7", "--reseed"), "its folds are 0 to 2"),
    ],
    ids=["no fold", "resume", "all experiments", "two experiments", "two folds", "has not run", "no such fold"],
)
def test_a_mistake_is_answered_with_the_next_step(arguments, said, place, capsys):
    assert typed("run", *arguments, *QUIET) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) <= 3
    assert said in lines[-1]
    assert runs(place) == []


@pytest.mark.slow
def test_other_settings_or_a_fold_without_a_score_are_refused(place, capsys):
    assert typed("run", "First", "--fold", "0", *QUIET) == 0
    assert typed("run", "First", "--fold", "1", "--reseed", *QUIET) == 2
    assert "has no score" in capsys.readouterr().err
    assert typed("run", "First", "--fold", "0", "--reseed", "--set", "train.lr=0.5", *QUIET) == 2
    assert "train.lr was 0.001 and is 0.5" in capsys.readouterr().err
    assert len(runs(place)) == 1
