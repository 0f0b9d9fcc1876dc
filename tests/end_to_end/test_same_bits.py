"""The promise that defines foldproof: the same experiment gives the same bits, however it is carried out.

Every run here has augmentation and a model with dropout, from a dotted path in the project's own folder.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foldproof.config.read import load_settings
from foldproof.events import journal
from foldproof.project import Project
from foldproof.records.record import RunRecord, read_events
from foldproof.workflow import run

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: "my_models:with_dropout", augment: light, batch_size: 4, epochs: 2, seed: 5, class_weights: balanced}
"""
MODEL = """\
from torch import nn


def with_dropout(*, classes, pretrained):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(8 * 8 * 8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, classes),
    )
"""


def project_at(folder: Path, make_images: Callable[..., Path]) -> Path:
    make_images(folder / "images")
    (folder / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "my_models.py").write_text(MODEL, encoding="utf-8")
    return folder


def run_here(folder: Path, *overrides: str) -> Path:
    """Run the one experiment of a project and return its run folder."""
    project = Project.find(folder)
    report = run(project, load_settings(project.settings_file, overrides=overrides), quiet=True)
    assert report.all_finished
    return next(iter(report.statuses))


def run_in_a_process(folder: Path, *arguments: str, **environment: str) -> Path:
    before = set(Project.find(folder).run_folders())
    command = [
        sys.executable,
        "-m",
        "foldproof",
        "run",
        "--again",
        "--quiet",
        "--set",
        "tracking.enabled=false",
        *arguments,
    ]
    subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True, timeout=120, capture_output=True)
    (made,) = set(Project.find(folder).run_folders()) - before
    return made


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from conftest import draw_classes

    folder = project_at(tmp_path_factory.mktemp("reference") / "project", draw_classes)
    return run_here(folder, "execution.executor=inline")


def assert_same(one: Path, other: Path) -> None:
    assert weights(one) == weights(other)
    assert journal.group_by_fold(read_events(one)) == journal.group_by_fold(read_events(other))
    for fold in one.glob("fold-*"):
        assert (fold / "steps.f32").read_bytes() == (other / fold.name / "steps.f32").read_bytes()


def weights(folder: Path) -> dict[tuple[int, int], str]:
    record = RunRecord.read(folder)
    assert len(record.finished) == 3
    return {place: finished.weights_sha256 for place, finished in record.finished.items()}


@pytest.mark.slow
def test_folds_differ_from_one_another(reference):
    assert len(set(weights(reference).values())) == 3


def test_a_second_run_gives_the_same_bits(reference):
    assert_same(reference, run_here(reference.parents[1], "execution.executor=inline"))


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 2])
def test_processes_give_the_bits_of_inline(reference, at_once):
    assert_same(reference, run_here(reference.parents[1], f"execution.parallel_folds={at_once}"))


@pytest.mark.slow
def test_another_working_directory_other_file_names_and_another_hash_seed_change_nothing(
    reference, tmp_path, make_images
):
    folder = project_at(tmp_path / "elsewhere" / "a project", make_images)
    for path in sorted((folder / "images").rglob("*.png")):
        path.rename(path.with_name(f"z{999 - int(path.stem)} renamed.png"))
    shutil.rmtree(folder / "runs", ignore_errors=True)
    assert_same(reference, run_in_a_process(folder, PYTHONHASHSEED="1234"))


@pytest.mark.slow
def test_another_seed_gives_other_bits(reference):
    other = run_here(reference.parents[1], "execution.executor=inline", "train.seed=6")
    assert set(weights(other).values()).isdisjoint(weights(reference).values())


def test_fewer_epochs_are_the_beginning_of_more(reference):
    shorter = RunRecord.read(run_here(reference.parents[1], "execution.executor=inline", "train.epochs=1"))
    longer = RunRecord.read(reference)
    for place, epochs in shorter.epochs.items():
        assert epochs == longer.epochs[place][:1]


@pytest.mark.slow
def test_repeat_one_does_not_depend_on_how_many_repeats_there_are(reference):
    two = RunRecord.read(run_here(reference.parents[1], "execution.executor=inline", "folds.repeats=2"))
    assert {place: two.epochs[place] for place in two.epochs if place[0] == 0} == RunRecord.read(reference).epochs
    assert len(two.finished) == 6


@pytest.mark.slow
def test_a_frozen_backbone_gives_the_same_bits_in_processes(reference):
    frozen = ("train.freeze_backbone=true", "train.augment=none")
    inline = run_here(reference.parents[1], "execution.executor=inline", *frozen)
    again = run_here(reference.parents[1], "execution.executor=inline", *frozen)
    assert_same(inline, again)


@pytest.mark.slow
@pytest.mark.parametrize("changed", [(), ("train.freeze_backbone=true", "train.augment=none")])
def test_images_that_are_decoded_anew_give_the_bits_of_kept_ones(reference, tmp_path, make_images, changed):
    kept = run_here(reference.parents[1], "execution.executor=inline", *changed) if changed else reference
    folder = project_at(tmp_path / "project", make_images)
    anew = run_here(folder, "execution.executor=inline", "execution.cache_gb=1e-6", *changed)  # 4 of 18 are kept
    assert_same(kept, anew)
    assert [notice.code for notice in RunRecord.read(anew).notices].count("decoded_anew") == 1
