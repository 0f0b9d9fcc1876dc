"""The commands of the how-tos, typed as they stand there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import draw, draw_classes
from lab.course import LAB_SCRIPT
from lab.typed import typed as foldproof
from served import ADMIN, served
from stored import KEY, SECRET, s3_store

HOW_TOS = Path(__file__).parents[2] / "docs" / "how-to"


def commands(name):
    """The lines after a `$` in the console blocks of a how-to."""
    text = (HOW_TOS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def typed(folder, command, python=None):
    """What a line of a how-to prints; in this process where it is foldproof's and nothing that a shell reads."""
    words = shlex.split(command, comments=True)
    if words[0] == "foldproof" and python is None and not set("|&;<>$*") & set(command):
        return foldproof(folder, *words[1:]).stdout
    python = python or sys.executable
    tools = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": tools}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=240, env=environment, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def place(tmp_path):
    """A folder with photos of three classes in it."""
    draw_classes(tmp_path / "place" / "photos", each=6, size=32)
    return tmp_path / "place"


@pytest.mark.slow
def test_your_own_images(place, tmp_path):
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    for command in commands("your-own-images.md"):
        typed(place, command.replace("/somewhere/else", str(tmp_path / "elsewhere")))
        if command == "foldproof init":  # less than it suggests: these are tiny
            settings = place / "params.yaml"
            settings.write_text(
                settings.read_text(encoding="utf-8").replace("epochs: 20", "epochs: 1 ").replace("k: 5", "k: 2"),
                encoding="utf-8",
            )


@pytest.mark.slow
def test_check_your_images(place):
    for command in (
        "foldproof init",
        "foldproof data add photos",
        'git add . && git commit --quiet --message "photos"',
    ):
        typed(place, command)
    (place / "photos" / "cat" / "broken.jpg").write_bytes(b"no picture")
    told = [command for command in commands("check-your-images.md") if not command.startswith("git")]
    assert "foldproof data check --exclude" in told
    with pytest.raises(AssertionError, match=r"cat/broken\.jpg"):
        typed(place, "foldproof data check")
    for command in sorted(told, key=lambda command: "--exclude" not in command):
        typed(place, command)
    typed(place, 'git commit --message "left out bad images" excluded.csv')
    assert (place / "photos" / "cat" / "broken.jpg").exists()


SETTINGS = """\
version: 1
data: {path: photos, image_size: 16}
folds: {k: 2}
train: {backbone: small_cnn, epochs: 2}
experiments: {FirstRun: {}}
execution: {executor: inline}
tracking: {enabled: false}
"""


@pytest.mark.slow
def test_from_a_script(place):
    foreign = "train:\n  lr: 0.001\n  epochs: 5\n"
    (place / "params.yaml").write_text(foreign, encoding="utf-8")
    subprocess.run([sys.executable, "-c", LAB_SCRIPT, "sqlite:///mlflow.db"], cwd=place, check=True, timeout=240)
    answers = {}
    for command in commands("from-a-script.md"):
        answers[command] = typed(place, command)
        if command == "foldproof init":
            assert "foldproof.yaml" in answers[command]
            settings = SETTINGS.replace("tracking: {enabled: false}\n", "tracking: {experiment: ours}\n")
            (place / "foldproof.yaml").write_text(settings, encoding="utf-8")
    assert "not trustworthy yet" in answers["foldproof compare --from mlflow:sqlite:///mlflow.db"]
    assert (place / "params.yaml").read_text(encoding="utf-8") == foreign
    both = typed(place, "foldproof compare --from mlflow:sqlite:///mlflow.db --json")
    assert {"FirstRun", "Run_5_Epochs"} <= {run["experiment"] for run in json.loads(both)["runs"]}


@pytest.mark.slow
def test_label_new_images(place):
    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    draw_classes(place / "new_photos", each=2, size=20, classes=("unsorted",))
    answers = {command: typed(place, command) for command in commands("label-new-images.md")}
    assert [
        len(answer.splitlines()) for command, answer in answers.items() if command.endswith(("new_photos/", "-"))
    ] == [3, 3]
    assert json.loads((place / "labels.json").read_text())["folds"] == ["fold 0", "fold 1"]
    labels = (place / "labels.csv").read_text("utf-8")
    assert (place / "again.csv").read_text("utf-8") == labels == answers["foldproof predict FirstRun new_photos/"]


@pytest.mark.slow
def test_when_a_run_is_cut_off(place):
    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    told = commands("when-a-run-is-cut-off.md")
    assert "foldproof run --resume" in told
    for command in told:
        typed(place, command)


@pytest.mark.slow
def test_compare_experiments_and_read_a_report(place):
    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    typed(place, "foldproof run")
    table = re.search(r"```\n(experiment,.*?)```", (HOW_TOS / "compare-experiments.md").read_text("utf-8"), re.DOTALL)
    (place / "results.csv").write_text(table[1], encoding="utf-8")
    answers = {command: typed(place, command) for command in commands("compare-experiments.md")}
    answer = answers["foldproof compare --from results.csv"]
    assert "not trustworthy yet: fold 2 of Run_5_Epochs lies 18.3 points below the others" in answer
    assert answer.count("cannot tell") == 4  # every pair, and which is best
    for command in commands("read-a-report.md"):
        typed(place, command)
    for file in ("report.html", "out/first.html", "report.md", "report_files", "report.json", "for-others.html"):
        assert (place / file).exists()


@pytest.mark.slow
def test_train_on_a_cluster(place):
    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    script = re.search(r"```sh\n(.*?)```", (HOW_TOS / "train-on-a-cluster.md").read_text(encoding="utf-8"), re.DOTALL)
    (place / "fold.sh").write_text(script[1], encoding="utf-8")
    for command in commands("train-on-a-cluster.md"):
        if not command.startswith("sbatch"):
            typed(place, command)
            continue
        jobs = [  # what SLURM does with an array, but for the machines
            f'SLURM_SUBMIT_DIR={place} SLURM_ARRAY_TASK_ID={task} bash fold.sh > log-{task} 2>&1 & jobs="$jobs $!"'
            for task in range(2)
        ]
        typed(place, "; ".join(jobs) + '; for job in $jobs; do wait "$job" || exit 1; done')
    assert len(list((place / "runs").glob("*/run.json"))) == 1
    assert "2/2" in typed(place, "foldproof runs")


@pytest.mark.slow
@pytest.mark.thorough
def test_prove_a_run(place):
    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    answers = {command: typed(place, command) for command in commands("prove-a-run.md")}
    assert "HOLDS: L0, L1, L2" in answers["foldproof verify FirstRun"]
    assert answers["foldproof reproduce FirstRun"].startswith("REPRODUCED: bit for bit (2 folds, 2 epochs")
    assert answers["foldproof reproduce FirstRun --as-is"].startswith("REPRODUCED")
    assert "train.lr" in next(answer for command, answer in answers.items() if " diff " in command)
    assert answers["foldproof reproduce anonymous.zip"].startswith("REPRODUCED: bit for bit")


@pytest.mark.slow
def test_use_dvc(place):
    for command in commands("use-dvc.md"):
        typed(place, command)
        if command == "foldproof init":
            settings = place / "params.yaml"
            settings.write_text(SETTINGS.replace("train: {", "train: {lr: 0.001, "), encoding="utf-8")
    runs = json.loads(typed(place, "foldproof runs --json"))
    assert len(runs) == 3
    assert not list(place.glob(".dvc/tmp/exps/*/runs"))
    assert "runs" not in (place / "dvc.yaml").read_text(encoding="utf-8").replace("foldproof run\n", "")
    again = json.loads(typed(place, "foldproof run --again --quiet --json --set train.lr=0.003"))
    assert again
    newest = json.loads(typed(place, "foldproof runs --json"))[-1]
    assert newest["again"] == {"of": runs[-1]["run"], "same": True}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.thorough
def test_existing_mlflow_server(place, tmp_path, monkeypatch):
    text = (HOW_TOS / "existing-mlflow-server.md").read_text(encoding="utf-8")
    tags = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    (place / "params.yaml").write_text(SETTINGS.replace("tracking: {enabled: false}\n", tags), encoding="utf-8")
    with served(tmp_path, guarded=True) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
        answers = {command: typed(place, command) for command in commands("existing-mlflow-server.md")}
        assert "takes this user" in (place / "doctor.json").read_text(encoding="utf-8")
        assert "0 new in MLflow, 0 completed, 1 already the same" in answers["foldproof sync"]
        assert "2/2" in answers["foldproof compare --from mlflow:$MLFLOW_TRACKING_URI"]
        found = server.client.search_runs([server.experiment_id("place")])
    assert [run.data.tags["ticket"] for run in found] == ["ABC-42"] * 3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.thorough
def test_remotes(place, tmp_path, monkeypatch):
    (tmp_path / "store").mkdir()
    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("SECRET", SECRET)
    with s3_store(tmp_path / "store") as store:
        for command in ("git init --quiet", "dvc init --quiet", "foldproof data add photos"):
            typed(place, command, store.python)
        told = commands("remotes.md")
        assert told[-1] == "foldproof data pull"
        for command in told[:-1]:
            typed(place, command.replace("https://s3.example.org", store.address), store.python)
        shutil.rmtree(place / "photos")
        shutil.rmtree(place / ".dvc" / "cache")
        assert "18 files" in typed(place, told[-1], store.python)


@pytest.mark.slow
def test_with_patients(tmp_path):
    place = tmp_path / "place"
    for label, name in enumerate(("benign", "malignant", "unclear")):
        for patient in range(4):
            for number in range(3):
                image = place / "photos" / name / f"patient{4 * label + patient:02d}-{number}.png"
                draw(image, label=label, number=10 * patient + number, size=16)
    text = (HOW_TOS / "with-patients.md").read_text(encoding="utf-8")
    data = re.search(r"```yaml\n(data: .*)\n```", text)[1]
    settings = SETTINGS.replace("data: {path: photos, image_size: 16}", data.replace("}", ", image_size: 16}"))
    assert "group_by" in settings
    (place / "params.yaml").write_text(settings, encoding="utf-8")
    answers = {command: typed(place, command) for command in commands("with-patients.md")}
    assert answers["grep -c patient07 folds.csv"].strip() == "3"
    rows = [line.split(",") for line in (place / "folds.csv").read_text(encoding="utf-8").splitlines()]
    header, rows = rows[0], rows[1:]
    group, fold = header.index("group"), header.index("fold")
    folds_of = {row[group]: {other[fold] for other in rows if other[group] == row[group]} for row in rows}
    assert len(folds_of) == 12
    assert all(len(folds) == 1 for folds in folds_of.values())
    assert "patient07" in (place / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.thorough
def test_on_a_gpu_box(place):
    import torch

    (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    for command in commands("on-a-gpu-box.md"):
        needed = 2 if "# needs two GPUs" in command else int("# needs a GPU" in command)
        if torch.cuda.device_count() >= needed:
            typed(place, command)
        else:
            with pytest.raises(AssertionError, match="there is no CUDA device"):
                typed(place, command)


@pytest.mark.slow
def test_install(place, monkeypatch):
    """What foldproof depends on is that of this environment; foldproof itself is built and installed by pip alone."""
    for name in ("src", "pyproject.toml", "README.md", "CHANGELOG.md"):
        source = HOW_TOS.parents[1] / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    for name, value in {"NO_INDEX": "1", "NO_DEPS": "1", "NO_BUILD_ISOLATION": "0"}.items():  # 0: without isolation
        monkeypatch.setenv(f"PIP_{name}", value)
    made, *others = commands("install.md")
    typed(place, made)
    (site,) = (place / ".venv").glob("lib/python*/site-packages")
    kept = [path for path in map(Path, sys.path) if path.name == "site-packages"]
    (site / "of_the_tests.pth").write_text("\n".join(map(str, kept)), encoding="utf-8")
    for command in others:
        if command == ".venv/bin/foldproof run":
            (place / "params.yaml").write_text(SETTINGS, encoding="utf-8")
        typed(place, command)
    assert list(site.glob("foldproof-*.dist-info"))
    assert (site / "foldproof" / "workflow.py").exists()
    assert (place / "report.html").exists()
    (facts,) = place.glob("runs/*/environment.json")
    assert json.loads(facts.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_tensorboard_in_the_how_to_of_trackers(place):
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    text = (HOW_TOS / "existing-mlflow-server.md").read_text(encoding="utf-8").partition("## TensorBoard")[2]
    named = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1].replace("mlflow, ", "")
    settings = SETTINGS.replace("tracking: {enabled: false}\n", named)
    (place / "params.yaml").write_text(settings, encoding="utf-8")
    assert "tensorboard is installed" in typed(place, "foldproof doctor || true")
    typed(place, "foldproof run")
    (run,) = json.loads(typed(place, "foldproof runs --json"))
    shown = EventMultiplexer().AddRunsFromDirectory(str(place / "runs" / "tensorboard")).Reload()
    folder = f"{run['experiment']}/{run['run']}"
    assert {folder, f"{folder}/fold 0", f"{folder}/fold 1"} <= set(shown.Runs())
    assert shown.Scalars(folder, "cv_accuracy_mean")
