"""The functions for notebooks: light to import, the same runs and figures as the commands, the same mistakes."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import foldproof
from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.errors import ProjectError, RunNotFound, SettingsError, UnknownName
from foldproof.notebook.html import paragraph, table
from recorded import INLINE
from scored import Scored, write_run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two runs that were recorded, none trained here."""
    (tmp_path / "params.yaml").write_text("version: 1\n")
    write_run(tmp_path / "runs", "20260102-030405-aaaaaa", Scored(experiment="First"))
    write_run(tmp_path / "runs", "20260102-030406-bbbbbb", Scored(experiment="Second", seed=1))
    return tmp_path


def test_importing_foldproof_imports_nothing_heavy() -> None:
    code = "import foldproof, sys; dir(foldproof); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"torch", "numpy", "pandas", "mlflow", "dvc", "click", "pydantic"} & set(done.stdout.split())


def test_the_function_wins_over_the_module_of_the_same_name_whichever_comes_first() -> None:
    from foldproof.workflow import RunReport, run

    assert RunReport.__module__ == run.__module__ == "foldproof.workflow"
    assert foldproof.run.__module__ == "foldproof.notebook.functions"
    assert {"compare", "load", "run", "runs"} <= set(dir(foldproof))
    with pytest.raises(AttributeError, match="nosuch"):
        _ = foldproof.nosuch


def test_runs_are_those_of_the_project_and_found_by_id_name_beginning_or_folder(project: Path) -> None:
    found = foldproof.runs(project)
    assert [run.experiment for run in found] == ["First", "Second"]
    assert list(found.table().experiment) == ["First", "Second"]
    for wanted in ("First", "20260102-030405", found[0].folder):
        assert foldproof.load(wanted, path=project) == found[0]


def test_a_damaged_run_hides_no_other_and_is_named(project: Path) -> None:
    (project / "runs" / "20260102-030405-aaaaaa" / "run.json").write_text("{")
    found = foldproof.runs(project)
    assert [run.experiment for run in found] == ["Second"]
    assert "20260102-030405-aaaaaa" in found.damaged[0]
    assert "20260102-030405-aaaaaa" in found._repr_html_()


def test_the_out_of_fold_table_has_every_image_once_with_what_was_said_of_it(project: Path) -> None:
    run = foldproof.load("First", path=project)
    rows = run.out_of_fold()
    probabilities = rows[[column for column in rows if column.startswith("p_")]]
    assert not rows.duplicated(["repeat", "sha256", "path"]).any()
    assert probabilities.to_numpy().sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (probabilities.idxmax(axis=1).str.removeprefix("p_") == rows.predicted).all()
    right = (rows.label == rows.predicted).groupby([rows.repeat, rows.fold]).mean()
    assert right.mean() == pytest.approx(run.accuracy.mean)


def test_epochs_are_those_of_the_journals(project: Path) -> None:
    run = foldproof.load("First", path=project)
    assert len(run.epochs()) == sum(map(len, run.record.epochs.values()))
    assert run.epochs().groupby(["repeat", "fold"]).val_accuracy.last().mean() == pytest.approx(run.accuracy.mean)


def test_a_comparison_is_that_of_the_command(project: Path, monkeypatch, capsys) -> None:
    found = foldproof.compare(path=project)
    monkeypatch.chdir(project)
    assert run_command(["compare", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (found.verdict, found.word) == (said["verdict"]["text"], said["verdict"]["word"])
    assert list(found.table()["mean"]) == [run["score"]["mean"] for run in said["runs"]]
    assert list(found.pairs().p_adjusted) == [pair["p_holm"] for pair in said["pairs"]]
    second = foldproof.load("Second", path=project)
    assert [line.experiment for line in foldproof.compare(second, "First").comparison.lines] == ["Second", "First"]


def test_what_is_shown_escapes_every_text() -> None:
    assert "<script>" not in table([["<script>"], ["<script>"]]) + paragraph("<script>", strong=True)


def test_mistakes_are_those_of_the_commands(project: Path) -> None:
    with pytest.raises(RunNotFound, match="did you mean 'First'"):
        foldproof.load("Fist", path=project)
    with pytest.raises(UnknownName, match="did you mean 'accuracy'"):
        foldproof.compare(path=project, metric="acuracy")
    with pytest.raises(ProjectError, match="there is no"):
        foldproof.runs(project / "nowhere")
    with pytest.raises(ProjectError, match="no settings file"):
        foldproof.runs(project / "runs" / "20260102-030405-aaaaaa" / "run.json")
    with pytest.raises(SettingsError, match="did you mean 'adam'"):
        foldproof.run(project, overrides={"train.optimizer": "adma"})
    with pytest.raises(UnknownName, match="no experiment 'nosuch'"):
        foldproof.run(project, names="nosuch")


@pytest.mark.slow
def test_training_in_a_thread_gives_what_the_command_gives(tmp_path: Path, capsys) -> None:
    """Signals can be heeded in the main thread alone; a thread of a notebook trains all the same."""
    draw_classes(tmp_path / "images")
    (tmp_path / "params.yaml").write_text(f"{INLINE}tracking: {{enabled: false}}\n")
    found = []
    thread = threading.Thread(
        target=lambda: found.append(foldproof.run(tmp_path, names=["fast"], overrides={"train.epochs": 1}))
    )
    thread.start()
    thread.join()
    ((run,),) = found
    assert (run.experiment, run.status, run.record.complete) == ("fast", "finished", True)
    assert "fast finished: accuracy" in capsys.readouterr().err
    again = ["foldproof", "run", "fast", "--again", "--quiet", "--set", "train.epochs=1"]
    subprocess.run([sys.executable, "-m", *again], cwd=tmp_path, check=True, timeout=120)
    first, second = foldproof.runs(tmp_path)
    weights = [[done.weights_sha256 for done in run.record.finished.values()] for run in (first, second)]
    assert weights[0] == weights[1]
