"""Nothing of foldproof needs what Windows lacks, and no process of it is forked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import foldproof
from foldproof.records.record import RunRecord

AS_ON_WINDOWS = Path(__file__).parents[1] / "as_on_windows.py"


def on_windows(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, AS_ON_WINDOWS, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_module_can_be_imported_without_what_only_posix_has(tmp_path):
    sources = [path for path in Path(foldproof.__file__).parent.rglob("*.py") if path.name != "__init__.py"]
    assert int(on_windows(tmp_path, "import everything")) >= len(sources)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("executor", [pytest.param("inline", marks=pytest.mark.thorough), "process"])
def test_a_run_needs_nothing_that_windows_lacks_and_spawns_its_workers(tiny_project, executor):
    options = ("--set", f"execution.executor={executor}", "--set", "train.epochs=1")
    (shown,) = json.loads(on_windows(tiny_project, "run", "--json", *options))["runs"]
    assert shown["status"] == "finished"
    record = RunRecord.read(tiny_project / "runs" / shown["run"])
    assert len(record.finished) == 3
    on_windows(tiny_project, "sync")
    from mlflow import MlflowClient

    store = MlflowClient(f"sqlite:///{tiny_project / 'mlflow.db'}")
    runs = store.search_runs([one.experiment_id for one in store.search_experiments()])
    assert [run.info.status for run in runs] == ["FINISHED"] * 4
    for command in (("compare", "--json"), ("verify", shown["run"])):
        on_windows(tiny_project, *command)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["run", "--help"], marks=pytest.mark.thorough),
        ["data", "check"],
        pytest.param(["no-such-é"], marks=pytest.mark.thorough),
    ],
    ids=" ".join,
)
def test_what_a_terminal_cannot_spell_is_a_question_mark_and_no_traceback(tiny_project, command):
    done = subprocess.run(
        [sys.executable, "-m", "foldproof", *command],
        cwd=tiny_project,
        env={**os.environ, "PYTHONIOENCODING": "cp437"},  # of a console in the United States
        capture_output=True,
        encoding="cp437",
        timeout=120,
        check=False,
    )
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or done.returncode == 2
