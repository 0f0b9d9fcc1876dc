"""`foldproof report`, typed."""

import json
import os
import subprocess
import sys

import pytest

from conftest import CLASSES, draw_classes
from foldproof.cli.main import run_command
from scored import Scored, write_run

SETTINGS = "version: 1\ndata: {path: images}\nfolds: {k: 3}\ntracking: {privacy: false}\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in which three runs of two experiments have been made."""
    root = tmp_path / "project"
    images = draw_classes(root / "images", each=6)
    (root / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    usual = {"classes": CLASSES, "images": images, "each": 6, "right": 0.5}
    for at, run in enumerate([Scored(**usual), Scored(**usual, seed=1), Scored(experiment="Other", lr=0.1, **usual)]):
        write_run(root / "runs", f"20260101-00000{at}-abcdef", run)
    monkeypatch.chdir(root)
    return root


def test_it_writes_the_newest_run_of_each_experiment_into_the_project(project, monkeypatch, capsys):
    monkeypatch.chdir(project / "images")
    assert run_command(["report"]) == 0
    said = capsys.readouterr().out
    page = (project / "report.html").read_text(encoding="utf-8")
    assert said.count("\n") == 1
    assert " kB: " in said
    assert "report.html" in said
    assert "20260101-000001-abcdef" in page
    assert "20260101-000002-abcdef" in page
    assert "20260101-000000-abcdef" not in page
    assert "data:image/webp" in page


@pytest.mark.slow
def test_it_writes_what_is_asked_for_where_it_is_asked_for(project, capsys):
    assert run_command(["report", "20260101-000000-abcdef", "Other", "-o", "out/deep/r.html"]) == 0
    assert "20260101-000000-abcdef" in (project / "out/deep/r.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out.startswith(os.path.join("out", "deep", "r.html"))  # noqa: PTH118
    assert run_command(["report", "--format", "md"]) == 0
    assert (project / "report_files" / "folds.svg").exists()
    assert run_command(["report", "--format", "json", "-o", "r.json"]) == 0
    assert json.loads((project / "r.json").read_text(encoding="utf-8"))["v"] == 1


@pytest.mark.parametrize("how", ["options", "setting"])
def test_with_privacy_neither_pictures_nor_paths_leave(project, how):
    options = ["--no-images", "--hash-paths"] if how == "options" else []
    if how == "setting":
        (project / "params.yaml").write_text(SETTINGS.replace("privacy: false", "privacy: true"), encoding="utf-8")
    assert run_command(["report", *options]) == 0
    page = (project / "report.html").read_text(encoding="utf-8")
    assert "data:image/webp" not in page
    assert ".png" not in page
    assert "alice" not in page


def test_a_damaged_run_is_left_out_and_named_and_the_exit_code_is_1(project, capsys):
    (project / "runs" / "20260101-000002-abcdef" / "run.json").write_text("{", encoding="utf-8")
    assert run_command(["report"]) == 1
    assert "run.json" in capsys.readouterr().err
    assert "20260101-000001-abcdef" in (project / "report.html").read_text(encoding="utf-8")


def test_mistakes_of_the_user_are_said_with_the_next_step(project, tmp_path, monkeypatch, capsys):
    assert run_command(["report", "NoSuchRun"]) == 2
    assert "foldproof runs" in capsys.readouterr().err
    assert run_command(["report", "-o", str(project / "params.yaml" / "r.html")]) == 2
    assert "-o" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert run_command(["report"]) == 2
    assert not list(project.glob("report*"))


def test_before_any_run_it_says_what_to_do(tiny_project, monkeypatch, capsys):
    monkeypatch.chdir(tiny_project)
    assert run_command(["report"]) == 2
    assert "foldproof run" in capsys.readouterr().err


@pytest.mark.slow
def test_it_loads_neither_torch_nor_what_tracks_or_versions(project):
    code = (
        "import sys; from foldproof.cli.main import run_command; assert run_command(['report']) == 0;"
        "print(sorted({'torch', 'mlflow', 'dvc', 'pandas', 'sklearn', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fold_that_was_trained_again_is_told_of(project):
    again = {"reseed_of": {"run": "20260101-000001-abcdef", "repeat": 0, "fold": 1}}
    write_run(project / "runs", "20260101-000009-abcdef", Scored(classes=CLASSES, each=6, seed=4, extra=again))
    assert run_command(["report"]) == 0
    assert "retrained with a different seed" in (project / "report.html").read_text(encoding="utf-8")
