"""`foldproof run --plan`: what would be trained, and nothing is."""

import json
from pathlib import Path

import pytest
from PIL import Image

from foldproof.cli.main import run_command
from foldproof.project import Project
from foldproof.records.record import RunRecord

INLINE = ("--set", "execution.executor=inline", "--set", "tracking.enabled=false")


@pytest.fixture
def place(tiny_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = tiny_project / "params.yaml"
    settings.write_text(settings.read_text() + "experiments: {First: {}, Second: {train: {epochs: 3}}}\n")
    monkeypatch.chdir(tiny_project)
    return tiny_project


def planned(capsys, *arguments):
    assert run_command(["run", "--plan", "--json", *INLINE, *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def files(root: Path):
    return {path for path in root.rglob("*") if path.is_file() and ".foldproof" not in path.parts}


@pytest.mark.slow
def test_a_plan_is_made_without_a_run_folds_or_anything_else(place, capsys):
    before = files(place)
    plan = planned(capsys)
    assert files(place) == before
    assert not (place / "runs").exists()
    assert [one["experiment"] for one in plan["experiments"]] == ["First", "Second"]
    assert [(one["folds"], one["epochs"]) for one in plan["experiments"]] == [(3, 2), (3, 3)]
    assert plan["seconds"] > 0
    assert plan["decoded_bytes"] == 18 * 8 * 8 * 3
    assert run_command(["run", "--plan", *INLINE, "Second"]) == 0
    shown = capsys.readouterr().out
    assert "Second" in shown
    assert "First" not in shown
    assert "1 experiment, 3 folds" in shown


@pytest.mark.slow
def test_a_plan_says_what_is_gone_on_with_and_a_run_then_does_that(place, capsys):
    assert run_command(["run", "First", "--fold", "0,2", *INLINE, "--quiet"]) == 0
    capsys.readouterr()
    (run,) = Project.find(place).run_folders()
    (first,) = planned(capsys, "First", "--resume")["experiments"]
    assert (first["goes_on_in"], first["folds_finished"], first["folds"]) == (run.name, 2, 3)
    (anew,) = planned(capsys, "First")["experiments"]
    assert (anew["goes_on_in"], anew["folds_finished"]) == (None, 0)
    assert first["seconds"] < anew["seconds"]
    assert first["bytes"] * 3 == anew["bytes"]
    assert run_command(["run", "First", "--resume", *INLINE, "--quiet"]) == 0
    assert RunRecord.read(run).status == "finished"


def test_a_plan_of_an_experiment_that_is_not_there_is_a_mistake(place, capsys):
    assert run_command(["run", "--plan", "Thrid", *INLINE]) == 2
    assert "no experiment 'Thrid'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_plan_is_refused_where_the_run_would_be(place, capsys):
    assert run_command(["run", "First", "--fold", "0", *INLINE, "--quiet"]) == 0
    capsys.readouterr()
    assert run_command(["run", "--plan", "First", "--resume", *INLINE, "--set", "train.lr=0.5"]) == 2
    assert "train.lr was 0.001 and is 0.5" in capsys.readouterr().err


@pytest.mark.slow
def test_a_plan_with_reseed_is_of_the_fold_that_is_then_trained(place, capsys):
    assert run_command(["run", "First", *INLINE, "--quiet"]) == 0
    capsys.readouterr()
    (one,) = planned(capsys, "First", "--fold", "1", "--reseed")["experiments"]
    assert (one["folds"], one["folds_finished"], one["goes_on_in"], one["epochs_of_others"]) == (1, 0, None, 0)
    assert one["seconds"] > 0
    assert run_command(["run", "First", "--fold", "1", "--reseed", *INLINE, "--quiet"]) == 0
    assert len(Project.find(place).run_folders()) == 2
    assert run_command(["run", "--plan", *INLINE, "First", "--fold", "0,1", "--reseed"]) == 2
    assert "name one" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "resize"), [("1", "squash"), ("3", "pad")])
def test_a_plan_counts_decoded_bytes_by_channels(place, capsys, channels, resize):
    for path in (place / "images").rglob("*.png"):
        with Image.open(path) as picture:
            grey = picture.convert("L")
        grey.save(path)
    settings = ("--set", f"data.channels={channels}", "--set", f"data.resize={resize}", "--allow-dirty")
    assert planned(capsys, *settings)["decoded_bytes"] == 18 * 8 * 8 * int(channels)
