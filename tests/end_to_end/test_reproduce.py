"""Recorded runs trained again, as somebody else would do it: by the command, with real git and DVC."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recorded import MODEL, call, done, make_project, trained

pytestmark = pytest.mark.slow
PROCESSES = ("--set", "execution.executor=process")


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """Two experiments, trained and their folds committed."""
    project = make_project(tmp_path_factory.mktemp("original"))
    trained(project, "own")
    trained(project, "small")
    done(project, "git", "add", "folds.csv")
    done(project, "git", "commit", "--quiet", "--message", "folds")
    return project


@pytest.fixture
def project(original, tmp_path) -> Path:
    """A copy of all of it, remote too."""
    shutil.copytree(original.parent, tmp_path / "here", symlinks=True)
    return tmp_path / "here" / "project"


def run_of(project: Path, experiment: str) -> Path:
    folders = sorted((project / "runs").glob("*"))
    return next(f for f in folders if json.loads((f / "run.json").read_text())["experiment"] == experiment)


def verdict(project: Path, *arguments: str, **environment: str) -> dict[str, object]:
    finished = call(project, "foldproof", "reproduce", "--json", *arguments, **environment)
    assert finished.stdout, finished.stderr
    said: dict[str, object] = json.loads(finished.stdout)
    assert finished.returncode == (0 if str(said["verdict"]).startswith("REPRODUCED") else 1)
    return said


def by_processes(project: Path) -> None:
    """Train in processes, which outlast a look at what they write."""
    settings = project / "params.yaml"
    settings.write_text(settings.read_text().replace("executor: inline", "executor: process"))


def content(folder: Path) -> dict[str, bytes]:
    kept = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in kept
        if not {".dvc", ".foldproof", "__pycache__"} & set(path.parts)
    }


def test_from_a_fresh_clone_and_a_bare_record_every_experiment_comes_out_again(original, tmp_path):
    done(tmp_path, "git", "clone", "--quiet", str(original), "clone")
    clone = tmp_path / "clone"
    (clone / ".dvc" / "config.local").write_bytes((original / ".dvc" / "config.local").read_bytes())
    shutil.copytree(original.parent / "store", tmp_path / "store")
    for experiment in ("own", "small"):
        record = tmp_path / "records" / experiment
        leave = shutil.ignore_patterns("*.safetensors", "state-*", "report*")
        shutil.copytree(run_of(original, experiment), record, ignore=leave)
        said = verdict(clone, str(record), *(["--trust-code"] if experiment == "own" else []))
        assert said["text"] == f"REPRODUCED: bit for bit (3 folds, 3 epochs, weights {str(said['text'])[-13:-1]})"
    assert not (clone / "images").exists()
    assert done(clone, "git", "worktree", "list").count("\n") == 1


def test_whatever_was_edited_since_the_record_comes_out_again_and_the_working_copy_stays(project):
    images = project / "images"
    cats = sorted((images / "cat").iterdir())
    cats[0].rename(images / "dog" / "was-a-cat.png")
    cats[1].unlink()
    edited = cats[2].read_bytes()
    cats[2].unlink()
    cats[2].write_bytes(edited[:-20] + b"\0" * 20)
    (project / "own_model.py").write_text(MODEL.replace("Conv2d(3, 8", "Conv2d(3, 4").replace("Linear(8", "Linear(4"))
    (project / "params.yaml").write_text((project / "params.yaml").read_text().replace("seed: 5", "seed: 6"))
    before = content(project)
    moved = project.parent / "moved"
    project.rename(moved)
    assert verdict(moved, "own")["verdict"] == "REPRODUCED"
    assert content(moved) == before
    assert not list((moved / ".foldproof").glob("reproduce-*"))


def test_uncommitted_changes_are_part_of_the_record(project):
    (project / "own_model.py").write_text(MODEL.replace("Dropout(0.2)", "Dropout(0.5)"))
    record = trained(project, "own")
    done(project, "git", "checkout", "--quiet", "own_model.py")
    assert verdict(project, record.name, "--fold", "0")["verdict"] == "REPRODUCED"


def test_with_what_is_there_now_a_changed_learning_rate_is_named_with_its_step(project):
    settings = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(settings.replace("seed: 5", "seed: 5, lr: 0.001001"))
    said = verdict(project, "small", "--as-is")
    assert said["text"] == "DIVERGED at fold 0, epoch 1, step 2"
    assert "most probable cause: config: train.lr 0.001 then, 0.001001 now" in said["lines"]


def test_with_what_is_there_now_and_nothing_changed_it_comes_out_again(project):
    assert verdict(project, "own", "--as-is", "--fold", "1")["verdict"] == "REPRODUCED"


def test_a_record_from_elsewhere_runs_no_code_unasked(project, tmp_path):
    shutil.copytree(run_of(project, "own"), tmp_path / "record")
    (project / "own_model.py").write_text("raise SystemExit('run')\n" + MODEL)
    refused = call(project, "foldproof", "reproduce", str(tmp_path / "record"))
    assert refused.returncode == 2
    assert "own_model:net" in refused.stderr
    assert "--trust-code" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 3
    assert verdict(project, str(tmp_path / "record"), "--trust-code", "--fold", "0")["verdict"] == "REPRODUCED"


def test_packages_on_which_bits_depend_have_to_agree_and_others_do_not(project):
    run = run_of(project, "small")
    environment = json.loads((run / "environment.json").read_text())
    environment["packages"]["pytest"] = "0.0.1"
    (run / "environment.json").write_text(json.dumps(environment))
    assert verdict(project, "small", "--fold", "0", "--epochs", "1")["verdict"] == "REPRODUCED"
    environment["packages"]["numpy"] = "0.0.1"
    (run / "environment.json").write_text(json.dumps(environment))
    said = verdict(project, "small", "--fold", "0")
    assert said["verdict"] == "CANNOT CHECK HERE"
    assert "numpy 0.0.1 then" in str(said["text"])
    assert "--env rebuild" in str(said["lines"])
    assert verdict(project, "small", "--fold", "0", "--epochs", "1", "--env", "here")["verdict"] == "REPRODUCED"


@pytest.mark.thorough
def test_another_instruction_set_is_never_a_divergence(project):
    said = verdict(project, "small", "--tolerance", "100", ATEN_CPU_CAPABILITY="default")
    assert said["verdict"] == "REPRODUCED WITHIN"
    assert "instruction set" in str(said["lines"])
    said = verdict(project, "small", "--tolerance", "0", ATEN_CPU_CAPABILITY="default")
    assert said["verdict"] in ("CANNOT CHECK HERE", "REPRODUCED WITHIN")


@pytest.mark.thorough
def test_a_beginning_and_an_end_are_valid_checks(project):
    said = verdict(project, "small", "--fold", "1", "--epochs", "2")
    assert str(said["text"]).startswith("REPRODUCED: bit for bit (1 of 3 folds, epochs 1 to 2 of 3")
    said = verdict(project, "small", "--fold", "1", "--from-epoch", "3")
    assert str(said["text"]).startswith("REPRODUCED: bit for bit (1 of 3 folds, epoch 3 of 3")
    assert verdict(project, "small", "--from-epoch", "2")["verdict"] == "CANNOT CHECK HERE"
    wrong = call(project, "foldproof", "reproduce", "small", "--epochs", "9")
    assert wrong.returncode == 2
    assert "give 1 to 3" in wrong.stderr


def test_images_that_nobody_has_any_more_cannot_be_checked(project):
    shutil.rmtree(project / "images")
    shutil.rmtree(project / ".dvc" / "cache")
    shutil.rmtree(project.parent / "store")
    said = verdict(project, "small")
    assert said["verdict"] == "CANNOT CHECK HERE"
    assert "24 of the 24 recorded images" in str(said["text"])
    assert str(said["lines"][-1]).startswith("needed: ")  # type: ignore[index]


def test_runs_of_every_executor_cold_or_warm_cut_off_or_not_reproduce_each_other(project):
    shutil.rmtree(project / ".foldproof")
    runs = [run_of(project, "small")]
    runs.append(trained(project, "small", *PROCESSES))
    runs.append(trained(project, "small", *PROCESSES, "--set", "execution.parallel_folds=1"))
    before = set((project / "runs").glob("*"))
    options = ("--again", "--quiet", *PROCESSES, "--set", "execution.checkpoint_every=0")
    command = [sys.executable, "-m", "foldproof", "run", "small", *options]
    running = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    states: list[Path] = []
    while not states and time.monotonic() < deadline:
        begun = set((project / "runs").glob("*")) - before
        states = [path for folder in begun for path in folder.glob("fold-*/state-*.json")]
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    (cut_off,) = set((project / "runs").glob("*")) - before
    done(project, "foldproof", "run", "small", "--quiet", "--resume")
    runs.append(cut_off)
    told = json.loads(done(project, "foldproof", "runs", "--json"))
    again = {one["run"]: one["again"] for one in told}
    assert all(again[run.name] == {"of": runs[0].name, "same": True} for run in runs[1:])
    assert verdict(project, cut_off.name, "--fold", "0")["verdict"] == "REPRODUCED"


@pytest.mark.thorough
def test_the_artifacts_of_an_mlflow_parent_are_a_whole_record(project, tmp_path):
    import mlflow

    settings = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(settings.replace("tracking: {enabled: false}", ""))
    run = trained(project, "small")
    mlflow.set_tracking_uri(f"sqlite:///{project}/mlflow.db")
    parents = [
        one for one in mlflow.search_runs(search_all_experiments=True, output_format="list")
        if one.data.tags.get("foldproof.run_id") == run.name and "mlflow.parentRunId" not in one.data.tags
    ]  # fmt: skip
    record = mlflow.artifacts.download_artifacts(run_id=parents[0].info.run_id, dst_path=str(tmp_path / "artifacts"))
    shutil.rmtree(project / "runs")
    assert verdict(project, record)["verdict"] == "REPRODUCED"
    assert call(project, "foldproof", "verify", record, "--level", "0").returncode == 0


def test_a_reproduction_that_is_killed_leaves_nothing_that_the_next_does_not_sweep_away(project):
    by_processes(project)
    command = [sys.executable, "-m", "foldproof", "reproduce", "own", "--quiet"]
    running = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((project / ".foldproof").glob("reproduce-*/code/runs/*/fold-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert list((project / ".foldproof").glob("reproduce-*"))
    assert verdict(project, "own", "--fold", "0", "--epochs", "1")["verdict"] == "REPRODUCED"
    assert not list((project / ".foldproof").glob("reproduce-*"))
    assert done(project, "git", "worktree", "list").count("\n") == 1


def test_ctrl_c_ends_it_and_changes_nothing(project):
    by_processes(project)
    before = content(project)
    command = [sys.executable, "-m", "foldproof", "reproduce", "small", "--quiet"]
    running = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((project / ".foldproof").glob("reproduce-*/code/runs/*/fold-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "nothing was changed" in said
    assert content(project) == before


@pytest.mark.timeout(900)
@pytest.mark.thorough
def test_in_an_environment_rebuilt_from_the_record_its_own_foldproof_trains_it(project, tmp_path):
    kept = {"XDG_CACHE_HOME": str(tmp_path / "kept"), "PYTHONPATH": ""}
    said = verdict(project, "small", "--env", "rebuild", "--fold", "0", **kept)
    if said["verdict"] == "CANNOT CHECK HERE" and "could not be installed" in str(said["text"]):
        pytest.skip(f"no package index at hand: {said['text']}")
    assert said["verdict"] == "REPRODUCED", said
    (python,) = (tmp_path / "kept" / "foldproof" / "envs").glob("*/bin/python")
    where = done(project.parent, str(python), "-c", "import foldproof; print(foldproof.__file__)", PYTHONPATH="")
    assert str(tmp_path / "kept" / "foldproof" / "envs") in where
    assert not (project / ".foldproof" / "envs").exists()


@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two cores")
@pytest.mark.thorough
def test_a_portable_run_says_so_and_comes_out_again(project):
    settings = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(settings.replace("seed: 5", "seed: 5, portable: true"))
    run = trained(project, "small")
    numeric = json.loads((run / "environment.json").read_text())["numeric_class"]
    assert numeric["instruction_set"] == "AVX2"
    assert numeric["optimizer_kernel"] == "fused"
    assert verdict(project, run.name)["verdict"] == "REPRODUCED"
    assert "HOLDS: L0, L1, L2" in done(project, "foldproof", "verify", run.name)
