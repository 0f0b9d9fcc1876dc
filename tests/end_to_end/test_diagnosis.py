"""Real trainings that suffer from something known: it is what the diagnosis says."""

import secrets
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.analysis.diagnosis import diagnose, reseeded
from foldproof.analysis.out_of_fold import read_out_of_fold
from foldproof.analysis.summary import Summary
from foldproof.config.read import load_settings
from foldproof.plan.options import RunOptions
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.workflow import run

pytestmark = pytest.mark.slow
SETTINGS = """\
version: 1
data: {path: images, image_size: 8, near_duplicates: report}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 32, epochs: 6, seed: 5}
execution: {executor: inline}
tracking: {enabled: false}
"""
LINEAR = """\
from torch import nn


def linear(*, classes, pretrained):
    return nn.Sequential(nn.AdaptiveAvgPool2d((2, 1)), nn.Flatten(), nn.Linear(6, classes))
"""


def draw_digits(root: Path, *, images: int, label=None, name=str) -> Path:
    """A project of real handwritten digits, 8 x 8; `label(number, digit)` says whose folder one is put into."""
    digits = load_digits()
    for number in range(images):
        digit = digits.target[number]
        path = root / "images" / f"{digit if label is None else label(number, digit)}" / f"{name(number)}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[number] * 15.9).astype(np.uint8)).save(path)
    (root / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    return draw_digits(tmp_path_factory.mktemp("digits"), images=300)


@pytest.fixture(scope="module")
def guessed(tmp_path_factory) -> Path:
    """Labels that have nothing to do with the images."""
    random = np.random.default_rng(0)
    drawn = random.integers(0, 4, 200)
    return draw_digits(tmp_path_factory.mktemp("guessed"), images=200, label=lambda number, _: drawn[number])


def said_of(root: Path, *overrides: str):
    project = Project.find(root)
    (folder,) = run(project, load_settings(project.settings_file, overrides=overrides), quiet=True).statuses
    record = RunRecord.read(folder)
    return {one.code: one for one in diagnose(record, read_out_of_fold(record))}


def test_a_run_that_is_well_gets_no_diagnosis(digits):
    assert said_of(digits, "train.epochs=8", "train.lr=0.003") == {}


def test_two_epochs_are_too_few(digits):
    found = said_of(digits, "train.epochs=2")
    assert set(found) == {"best-epoch-last"}
    assert "train.epochs: 4" in found["best-epoch-last"].text


def test_a_rate_of_a_hundredth_is_too_low(digits):
    found = said_of(digits, "train.lr=0.00001")
    assert set(found) == {"rate-too-low"}
    assert "train.lr: 0.0001" in found["rate-too-low"].text


def test_a_rate_of_a_thousandfold_is_too_high(digits):
    assert set(said_of(digits, "train.lr=1", "train.epochs=2")) == {"rate-too-high"}


def test_labels_drawn_by_chance_are_learned_by_heart(guessed):
    found = said_of(guessed, "train.lr=0.003", "train.epochs=14")
    assert "overfitting" in found
    assert set(found) <= {"overfitting", "over-confident"}
    assert "look at the labels" in found["overfitting"].text


def test_a_model_that_is_too_small_underfits(tmp_path):
    name = f"linear_{secrets.token_hex(4)}"
    draw_digits(tmp_path, images=300)
    (tmp_path / f"{name}.py").write_text(LINEAR, encoding="utf-8")
    found = said_of(
        tmp_path, f"train.backbone={name}:linear", "train.lr=0.1", "train.epochs=30", "train.schedule=cosine"
    )
    assert "underfitting" in found
    assert "larger train.backbone" in found["underfitting"].text
    assert not {"overfitting", "rate-too-low", "rate-too-high", "nothing-learned"} & set(found)


def test_a_loss_that_overflows_is_a_divergence(tmp_path):
    name = f"linear_{secrets.token_hex(4)}"
    draw_digits(tmp_path, images=60, label=lambda _, digit: digit % 2)
    (tmp_path / f"{name}.py").write_text(LINEAR, encoding="utf-8")
    found = said_of(tmp_path, f"train.backbone={name}:linear", "train.optimizer=sgd", "train.lr=1e38")
    assert set(found) == {"diverged"}


def test_two_classes_that_cannot_be_told_apart_are_named(tmp_path):
    """Threes are called three or five by chance."""
    random = np.random.default_rng(1)
    coin = random.random(400) < 0.5

    def label(number, digit):
        if digit in (3, 5):
            return 5 if coin[number] else 3
        return digit

    found = said_of(draw_digits(tmp_path, images=400, label=label), "train.epochs=4", "train.lr=0.003")
    assert found["confused"].evidence["first"] == "3"
    assert found["confused"].evidence["second"] == "5"


def test_a_fold_with_drawn_labels_disagrees_and_training_it_again_shows_that_it_is_its_images(tmp_path):
    """90 images of one group, so of one fold, are called anything."""
    drawn = np.random.default_rng(2).integers(0, 10, 360)

    def is_bad(number):
        return number % 4 == 0

    draw_digits(
        tmp_path,
        images=360,
        label=lambda number, digit: drawn[number] if is_bad(number) else digit,
        name=lambda number: f"bad-{number}" if is_bad(number) else f"{number}",
    )
    project = Project.find(tmp_path)
    loaded = load_settings(
        project.settings_file, overrides=("data.group_by=/(bad|[0-9]+)", "train.epochs=4", "train.lr=0.003")
    )
    (folder,) = run(project, loaded, quiet=True).statuses
    record = RunRecord.read(folder)
    table = read_out_of_fold(record)
    by_image = replace(table, groups=np.full_like(table.groups, ""))  # one bad group among hundreds is no bad fold
    (line,) = compare([Candidate(Summary.of(record), by_image)]).lines
    found = {one.code: one for one in diagnose(record, table, disagreement=line.disagreement)}
    where = int(table.folds[np.char.find(table.paths, "bad") >= 0][0])
    assert found["fold-disagrees"].fold_id == (0, where)
    options = RunOptions(folds=frozenset({(0, where)}), reseed=True)
    (again,) = run(project, loaded, options=options, quiet=True).statuses
    assert reseeded(record, RunRecord.read(again)).code == "reseed-images"
