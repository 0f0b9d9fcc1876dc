"""Somebody else's results, typed into a CSV or lying in an MLflow store that another script filled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.course import LAB_SCRIPT

SEED = """experiment,fold,score
FirstRun,1,50.49
FirstRun,2,48.06
FirstRun,3,51.70
FirstRun,4,47.33
FirstRun,5,49.52
Run_5_Epochs,1,51.46
Run_5_Epochs,2,49.03
Run_5_Epochs,3,32.04
Run_5_Epochs,4,52.18
Run_5_Epochs,5,48.69
Run_High_LR,1,52.91
Run_High_LR,2,48.30
Run_High_LR,3,50.73
Run_High_LR,4,49.27
Run_High_LR,5,49.64
"""


def foldproof(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "foldproof", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_the_courses_table_typed_into_a_csv_gets_its_verdict_outside_of_any_project(tmp_path):
    (tmp_path / "seed.csv").write_text(SEED)
    done = foldproof("compare", "--from", "seed.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "verdict: not trustworthy yet: fold 3 of Run_5_Epochs lies" in done.stdout
    assert done.stdout.count("cannot tell") == 4  # every pair, and which is best
    assert "49.42" in done.stdout
    assert "not verified" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "begins"), [("md", "not trustworthy yet"), ("latex", "not trustworthy"), ("csv", "experiment,run")]
)
def test_a_table_for_a_paper_a_repository_or_a_spreadsheet_is_printed(form, begins, tmp_path):
    (tmp_path / "seed.csv").write_text(SEED)
    done = foldproof("compare", "--from", "seed.csv", "--format", form, cwd=tmp_path)
    assert done.stdout.startswith(begins)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["nosuch.csv", ".", "binary.csv"])
def test_a_source_that_cannot_be_read_is_said_in_three_lines(source, tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    done = foldproof("compare", "--from", source, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) <= 3
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_experiment_that_the_source_does_not_have_gets_the_nearest_name(tmp_path):
    (tmp_path / "seed.csv").write_text(SEED)
    done = foldproof("compare", "FirstRum", "--from", "seed.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "FirstRun" in done.stderr


@pytest.mark.slow
def test_a_labs_own_mlflow_store_is_compared_whichever_way_its_folds_were_logged(tmp_path):
    uri = f"sqlite:///{tmp_path / 'lab.db'}"
    (tmp_path / "lab.py").write_text(LAB_SCRIPT)
    subprocess.run([sys.executable, "lab.py", uri], cwd=tmp_path, check=True, capture_output=True, timeout=200)
    done = foldproof("compare", "--from", f"mlflow:{uri}", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    means = {run["experiment"]: round(100 * run["accuracy"]["mean"], 2) for run in found["runs"]}
    assert means == {"FirstRun": 49.42, "Run_5_Epochs": 46.68, "All_In_One": 50.17}
    assert found["verdict"]["word"] == "not trustworthy yet"
    assert "fold 3 of Run_5_Epochs" in found["verdict"]["text"]
    assert {"lr", "epochs"} & set(found["differing"]) == {"epochs", "lr"}
    assert "val_accuracy as MLflow has it" in found["unverified"]

    some = foldproof("compare", "FirstRun", "Run_5_Epochs", "--from", f"mlflow:{uri}", "--json", cwd=tmp_path)
    assert [run["experiment"] for run in json.loads(some.stdout)["runs"]] == ["FirstRun", "Run_5_Epochs"]


@pytest.mark.slow
@pytest.mark.parametrize("uri", ["sqlite:///nosuch/folder/x.db", "http://127.0.0.1:9", "nonsense://x"])
def test_a_store_that_is_not_there_is_said_in_three_lines(uri, tmp_path):
    done = foldproof("compare", "--from", f"mlflow:{uri}", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert len(done.stderr.strip().splitlines()) <= 3
    assert "Traceback" not in done.stderr


HABITS = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
for habit, metric in (("flat", "Accuracy/val"), ("nested", "val_acc"), ("old", "eval_accuracy")):
    mlflow.set_experiment(habit)
    above = mlflow.start_run(run_name="nested") if habit == "nested" else None
    for fold in range(1, 4):
        with mlflow.start_run(run_name=f"flat_fold_{fold}" if habit == "flat" else None, nested=habit == "nested"):
            mlflow.log_params({"kfold": fold} if habit == "nested" else {"lr": 0.1})
            mlflow.set_tags({"fold": fold} if habit == "old" else {})
            mlflow.log_metrics({metric: 0.6 + fold / 100, "val_auc": 0.9 + fold / 100})
    if above:
        mlflow.end_run()
mlflow.set_experiment("gone")
with mlflow.start_run(run_name="gone_fold_1"):
    mlflow.log_metric("val_acc", 0.1)
mlflow.delete_experiment(mlflow.get_experiment_by_name("gone").experiment_id)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["database", "folder"])
def test_the_usual_ways_of_logging_folds_are_recognised_and_what_was_taken_for_what_is_said(kind, tmp_path):
    (tmp_path / "habits.py").write_text(HABITS)
    uri, source = ("sqlite:///lab.db", "lab.db") if kind == "database" else ("file:./mlruns", "mlruns")
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    command = [sys.executable, "habits.py", uri]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=200)
    done = foldproof("compare", "--from", source, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    means = {run["experiment"]: round(run["accuracy"]["mean"], 4) for run in found["runs"]}
    assert means == {"flat": 0.62, "nested": 0.62, "old": 0.62}
    assert "Accuracy/val, eval_accuracy, val_acc as MLflow has it, as accuracy" in found["unverified"]
    assert "nested runs by 'kfold', runs side by side by" in found["unverified"]
    assert "--metric takes others: val_auc" in found["unverified"]

    of_auc = foldproof("compare", "--from", f"mlflow:{source}", "--metric", "val_auc", cwd=tmp_path)
    assert of_auc.returncode == 0, of_auc.stderr
    assert "AUC by fold" in of_auc.stdout
    assert "val_auc as MLflow has it, as auc" in of_auc.stdout
    none = foldproof("compare", "--from", source, "--metric", "kappa", cwd=tmp_path)
    assert none.returncode == 2
    assert "no 'kappa' of folds" in none.stderr
    assert "val_auc" in none.stderr
