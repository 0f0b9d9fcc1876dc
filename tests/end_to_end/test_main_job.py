"""The main job through the command line, with real git, DVC and MLflow: from a folder of pictures to compared runs."""

import json
import subprocess
from pathlib import Path

import pytest

from conftest import draw, draw_classes
from lab.typed import process, typed

SUMMED_UP = [
    f"report/{name}"
    for name in (
        "report.html",
        "report.md",
        "report_files",
        "folds.csv",
        "comparison.csv",
        "comparison.md",
        "judged.json",
    )
]
SETTINGS = """\
version: 1
data: {path: photos, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 2, seed: 5}
experiments:
  First: {}
  Longer: {train: {epochs: 3}}
tracking: {uri: "sqlite:///mlflow.db", experiment: pictures}
"""


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project made by the commands that a user types, and what `run --json` printed."""
    folder = tmp_path_factory.mktemp("job") / "my pictures"
    draw_classes(folder / "photos")
    process(folder, "init")
    (folder / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    process(folder, "data", "add", "photos")
    git(folder, "add", ".")
    named = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org")
    git(folder, *named, "commit", "--quiet", "--message", "photos and settings")
    return folder, process(folder, "run", "--json").stdout


@pytest.fixture
def project(first_run: tuple[Path, str]) -> Path:
    return first_run[0]


@pytest.mark.slow
def test_from_a_folder_of_pictures_to_compared_runs_in_mlflow(first_run):
    project, printed = first_run
    shown = {run["experiment"]: run for run in json.loads(printed)["runs"]}
    assert set(shown) == {"First", "Longer"}
    assert all(run["status"] == "finished" and len(run["folds"]) == 3 for run in shown.values())

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("pictures")
    runs = client.search_runs([experiment.experiment_id])
    parents = {run.info.run_name: run for run in runs if "mlflow.parentRunId" not in run.data.tags}
    assert set(parents) == {"First", "Longer"}
    for name, parent in parents.items():
        epochs = 3 if name == "Longer" else 2
        children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        assert sorted(child.info.run_name for child in children) == ["fold-0", "fold-1", "fold-2"]
        assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
        for child in children:
            for metric in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
                assert len(client.get_metric_history(child.info.run_id, metric)) == epochs
        assert parent.data.metrics["cv_accuracy_mean"] == pytest.approx(shown[name]["accuracy"]["mean"])
        assert parent.data.metrics["cv_accuracy_std"] == pytest.approx(shown[name]["accuracy"]["sd"])
        assert {"cv_avg_best_val_accuracy", "cv_avg_best_val_loss"} <= set(parent.data.metrics)
        assert parent.data.tags["mlflow.source.git.commit"] == git(project, "rev-parse", "HEAD")
        assert parent.data.tags["foldproof.git.dirty"] == "false"
        assert parent.data.tags["foldproof.dvc.hash"] in (project / "photos.dvc").read_text(encoding="utf-8")
        (images,) = parent.inputs.dataset_inputs
        assert shown[name]["run"] == parent.data.tags["foldproof.run_id"]
        assert len(images.dataset.digest) <= 36
        profile = json.loads(images.dataset.profile)
        assert profile["images_by_class"] == {"cat": 6, "dog": 6, "eel": 6}
        assert profile["duplicates"]["exact_pairs"] == 0
        card = client.download_artifacts(parent.info.run_id, "data-card.json", project)
        assert json.loads(Path(card).read_text(encoding="utf-8"))["fingerprint"].startswith(images.dataset.digest)
        page = client.download_artifacts(parent.info.run_id, "data-card.md", project)
        assert "18 images in 3 classes" in Path(page).read_text(encoding="utf-8")
        Path(card).unlink()
        Path(page).unlink()
        assert set(SUMMED_UP) <= {item.path for item in client.list_artifacts(parent.info.run_id, "report")}
        kept = Path(client.download_artifacts(parent.info.run_id, "report/report.html", project / ".git"))
        written = project / "runs" / shown[name]["run"] / "report" / "report.html"
        assert kept.read_bytes() == written.read_bytes()
        assert name in written.read_text(encoding="utf-8")
        figures = {item.path for item in client.list_artifacts(parent.info.run_id, "report/report_files")}
        assert any("curves" in figure for figure in figures)
        assert any("confusion" in figure for figure in figures)
        comparison = (written.parent / "comparison.md").read_text(encoding="utf-8")
        assert "First" in comparison
        assert "Longer" in comparison


@pytest.mark.slow
def test_a_changed_image_stops_a_run_unless_it_is_allowed_and_then_it_is_recorded(project):
    picture = project / "photos" / "cat" / "000.png"
    whole = picture.read_bytes()
    draw(picture, label=0, number=77)
    try:
        refused = typed(project, "run", "First", code=2)
        assert "cat/000.png" in refused.stderr
        assert len(refused.stderr.strip().splitlines()) <= 3
        typed(project, "run", "First", "--allow-dirty", "--quiet", "--set", "tracking.enabled=false")
        newest = max(project.glob("runs/*/environment.json"))
        recorded = json.loads(newest.read_text(encoding="utf-8"))
        assert (recorded["data"]["state"], recorded["data"]["changed"]) == ("dirty", ["cat/000.png"])
    finally:
        picture.write_bytes(whole)


@pytest.mark.slow
def test_new_images_leave_the_old_ones_in_their_folds(project):
    before = (project / "folds.csv").read_text(encoding="utf-8").splitlines()
    draw_classes(project / "photos", each=8)
    typed(project, "run", "First", "--quiet", "--set", "tracking.enabled=false")
    after = (project / "folds.csv").read_text(encoding="utf-8").splitlines()
    assert set(before) < set(after)
    newest = max(project.glob("runs/*/environment.json"))
    assert json.loads(newest.read_text(encoding="utf-8"))["data"]["state"] == "extra"


@pytest.mark.slow
def test_what_the_readers_say_agrees(project):
    listed = json.loads(typed(project, "runs", "--json").stdout)
    compared = json.loads(typed(project, "compare", "Longer", "--json").stdout)["runs"]
    same = next(run for run in listed if run["run"] == compared[0]["run"])
    figures = ("experiment", "identity", "settings", "accuracy", "loss", "best_epoch_accuracy_optimistic")
    assert [compared[0][name] for name in figures] == [same[name] for name in figures]
    assert [fold["accuracy"] for fold in compared[0]["folds"]] == [fold["accuracy"] for fold in same["folds"]]
    assert "Longer" in typed(project, "compare").stdout
    assert typed(project, "compare", "Nothing", code=2).stderr.count("\n") <= 3
