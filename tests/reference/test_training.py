"""Every number that a run records is met by a training written a second time, without any of foldproof's code.

The loop is compared with itself everywhere else: what it does wrongly but always, only this can see.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn import metrics

from foldproof.config.read import load_settings
from foldproof.project import Project
from foldproof.workflow import run
from reference import networks, scheme
from reference.training import Trained, trained

SETTINGS = """\
version: 1
data: {path: images, image_size: 16}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 5, epochs: 3, seed: 5, lr: 0.004, validation_batch_size: 4}
execution: {executor: inline}
tracking: {enabled: false}
experiments:
  adam:
    data: {resize: crop}
    train: {batch_size: 4, augment: light, class_weights: balanced, schedule: cosine, weight_decay: 0.02}
  sgd:
    data: {resize: pad}
    train: {backbone: 'own_model:net', optimizer: sgd, lr: 0.02, momentum: 0.8, weight_decay: 0.1, augment: light}
  adamw: {folds: {repeats: 2}, train: {optimizer: adamw, weight_decay: 3.0, schedule: cosine, batch_size: 3}}
  frozen: {train: {backbone: 'own_model:net', freeze_backbone: true, class_weights: balanced, lr: 0.05}}
  changed: {train: {backbone: 'own_model:net', freeze_backbone: true, augment: light, optimizer: adamw, lr: 0.05}}
"""
GREY = """\
version: 1
data: {path: images, image_size: 16, channels: 1}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 5, epochs: 2, seed: 9, augment: light}
execution: {executor: inline}
tracking: {enabled: false}
experiments: {grey: {}}
"""
EXPERIMENTS = ("adam", "sgd", "adamw", "grey", "frozen", "changed")
COUNTS = {"cat": 9, "dog": 5, "eel": 5}  # so that no two classes weigh the same
LOSS, PROBABILITY = 2e-3, 2e-3  # relative, absolute: five times what rounding adds up to in a dozen steps of Adam


@pytest.fixture(scope="module", autouse=True)
def alone():
    """What a run settles in this process ends with these tests; the reference has one thread, as quick as several."""
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(mode)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of pictures that are wide, high and square."""
    root = tmp_path_factory.mktemp("reference")
    random = np.random.default_rng(8)
    for label, (name, count) in enumerate(COUNTS.items()):
        for number in range(count):
            shape = ((16, 16), (20, 31), (37, 23), (11, 16))[number % 4]
            values = random.integers(0, 90, (*shape, 3))
            values[: shape[0] // 2, : shape[1] // (label + 1)] += 110
            picture = Image.fromarray(values.astype(np.uint8))
            for folder, mode in ((root, "RGB"), (root / "grey", "L")):
                file = folder / "images" / name / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                picture.convert(mode).save(file)
    (root / "own_model.py").write_text(networks.OWN_MODEL)
    for folder, settings in ((root, SETTINGS), (root / "grey", GREY)):
        (folder / "params.yaml").write_text(settings)
        opened = Project(folder / "params.yaml")
        assert set(run(opened, load_settings(opened.settings_file), quiet=True).statuses.values()) == {"finished"}
    return root


@pytest.fixture(scope="module")
def runs(project: Path) -> dict[str, Path]:
    facts = {file.parent: json.loads(file.read_text()) for file in project.glob("**/runs/*/run.json")}
    return {found["experiment"]: folder for folder, found in facts.items()}


@pytest.fixture(scope="module", params=EXPERIMENTS)
def folds(request: pytest.FixtureRequest, runs: dict[str, Path]) -> list[tuple[Path, Trained]]:
    """The folders of an experiment's folds, and what should be in them."""
    made = runs[request.param]
    places = [tuple(map(int, folder.name.split("-")[1:])) for folder in sorted(made.glob("fold-*"))]
    return [
        (made / f"fold-{repeat}-{fold}", trained(made, made.parents[1] / "images", repeat, fold))
        for repeat, fold in places
    ]


def journal(folder: Path, kind: str) -> list[dict[str, object]]:
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line[18:]) for line in lines]
    return [event["data"] for event in events if event["kind"] == kind]


@pytest.mark.slow
def test_every_step_has_the_loss_of_the_reference(folds):
    for folder, reference in folds:
        losses = np.fromfile(folder / "steps.f32", dtype="<f4")
        np.testing.assert_allclose(losses, reference.losses, rtol=LOSS, atol=2e-4)


@pytest.mark.slow
def test_every_epoch_has_the_rate_the_losses_and_the_accuracies_of_the_reference(folds):
    for folder, reference in folds:
        epochs = journal(folder, "EpochFinished")
        assert [epoch["lr"] for epoch in epochs] == pytest.approx([one.lr for one in reference.epochs], rel=1e-15)
        for epoch, one in zip(epochs, reference.epochs, strict=True):
            assert epoch["train_loss"] == pytest.approx(one.train_loss, rel=LOSS)
            assert epoch["val_loss"] == pytest.approx(one.val_loss, rel=LOSS)
            assert abs(epoch["train_accuracy"] * reference.train - one.train_right) <= one.train_doubtful + 1e-9
            count = len(reference.validation)
            assert abs(epoch["val_accuracy"] * count - one.val_right) <= one.val_doubtful + 1e-9


@pytest.mark.slow
def test_the_trained_weights_are_those_of_the_reference(folds):
    for folder, reference in folds:
        weights = load_file(folder / "model.safetensors")
        assert weights.keys() == reference.weights.keys()
        for name, tensor in weights.items():
            torch.testing.assert_close(tensor, reference.weights[name], rtol=5e-3, atol=2e-3)


def test_the_predictions_are_those_of_the_reference_image_by_image(folds):
    for folder, reference in folds:
        table = pq.read_table(folder / "predictions.parquet").to_pydict()
        assert table["sha256"] == reference.validation
        np.testing.assert_allclose(np.array(table["probabilities"]), reference.probabilities, atol=PROBABILITY)


def test_the_final_scores_are_scikit_learns_of_the_predictions(folds):
    for folder, reference in folds:
        (finished,) = journal(folder, "FoldFinished")
        probabilities = np.array(pq.read_table(folder / "predictions.parquet")["probabilities"].to_pylist())
        predicted, labels = probabilities.argmax(axis=1), np.array(reference.labels)
        with warnings.catch_warnings(action="ignore"):  # of a class that is nowhere predicted
            wanted = {
                "accuracy": metrics.accuracy_score(labels, predicted),
                "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
                "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
                "log_loss": metrics.log_loss(labels, probabilities, labels=[0, 1, 2]),
            }
        assert finished["scores"] == pytest.approx(wanted, rel=1e-6)
        recall = metrics.recall_score(labels, predicted, average=None, zero_division=np.nan)
        assert list(finished["per_class"].values()) == pytest.approx(list(recall))


def test_small_cnn_begins_with_torchs_own_weights_of_a_seed_of_its_place(runs):
    for fold in range(3):
        stored = load_file(runs["adam"] / f"fold-0-{fold}" / "initial.safetensors")
        expected = networks.drawn(scheme.key("weights", 5, 0, fold), 3, 3)
        assert stored.keys() == expected.keys()
        assert all(torch.equal(stored[name], expected[name]) for name in stored)


def test_there_are_epochs_that_end_in_a_batch_of_one_too_many_and_in_one_of_too_few(runs):
    left = set()
    for made in runs.values():
        size = json.loads((made / "run.json").read_text())["config"]["train"]["batch_size"]
        left |= {(size, journal(folder, "FoldStarted")[0]["train_images"] % size) for folder in made.glob("fold-*")}
    assert {(4, 1), (5, 3)} <= left


def test_a_fold_says_how_many_images_it_trains_on_and_how_many_numbers_learn(folds):
    for folder, reference in folds:
        (started,) = journal(folder, "FoldStarted")
        learn = [name for name in reference.weights if "running" not in name and "num_batches" not in name]
        sizes = {name: reference.weights[name].numel() for name in learn}
        frozen = json.loads((folder.parent / "run.json").read_text())["config"]["train"]["freeze_backbone"]
        assert started["train_images"] == reference.train
        assert started["validation_images"] == len(reference.validation)
        assert started["parameters"] == sum(sizes.values())
        trained = [size for name, size in sizes.items() if not frozen or name.startswith("head.")]
        assert started["trained_parameters"] == sum(trained)
