"""Runs side by side."""

import json
from pathlib import Path

import pytest

from foldproof.analysis.compare import compare
from foldproof.events.types import EpochFinished, FoldFailed, FoldFinished
from foldproof.record import RunRecord


def record(name: str, accuracies: dict[int, float], *, lr: float = 0.1, k: int = 3, folds: str = "f") -> RunRecord:
    def epoch(accuracy: float, number: int) -> EpochFinished:
        return EpochFinished(
            epoch=number,
            steps=number,
            lr=lr,
            train_loss=0.1,
            train_accuracy=0.9,
            val_loss=1 - accuracy,
            val_accuracy=accuracy,
            weights_sha256="",
        )

    done = FoldFinished(epochs=2, scores={}, per_class={}, weights_sha256="", predictions_sha256="")
    return RunRecord(
        folder=Path(name),
        facts={
            "run": f"run-{name}",
            "experiment": name,
            "identity": "i",
            "fingerprint": "images",
            "folds_digest": folds,
            "config": {"pixels": {"image_size": 8}, "folds": {"k": k, "repeats": 1}, "train": {"lr": lr, "epochs": 2}},
        },
        started=None,
        started_at=None,
        ended_at=None,
        status="finished" if len(accuracies) == k else "failed",
        fold_started={},
        epochs={(0, fold): (epoch(a + 0.1, 1), epoch(a, 2)) for fold, a in accuracies.items()},
        finished={(0, fold): done for fold in accuracies},
        failed={(0, fold): FoldFailed(error="E", reason="r") for fold in range(k) if fold not in accuracies},
        notices=(),
    )


A = record("A", {0: 0.5, 1: 0.6, 2: 0.7})
B = record("B", {0: 0.6, 1: 0.7, 2: 0.8}, lr=0.2)


def test_it_shows_the_last_epoch_and_keeps_the_optimistic_best_epoch_apart():
    line = compare([A]).lines[0]
    assert line.accuracy.mean == pytest.approx(0.6)
    assert line.accuracy.sd == pytest.approx(0.1)
    assert line.best_epoch_accuracy.mean == pytest.approx(0.7)
    assert "best_epoch_accuracy_optimistic" in compare([A]).to_json()["runs"][0]


def test_it_names_the_settings_that_differ_and_no_others():
    assert compare([A, B]).differing == ("train.lr",)


def test_it_names_no_winner():
    assert not {"winner", "better", "best"} & {key for line in compare([A, B]).to_json()["runs"] for key in line}


def test_folds_that_are_not_the_same_are_said():
    comparison = compare([A, record("C", {0: 0.5, 1: 0.6, 2: 0.7}, folds="other")])
    assert comparison.same_images
    assert not comparison.same_folds


def test_missing_folds_leave_the_others_to_be_seen():
    line = compare([record("A", {0: 0.5, 2: 0.7})]).lines[0]
    assert line.folds == {(0, 0): 0.5, (0, 2): 0.7}
    assert (line.accuracy.n, line.expected_folds) == (2, 3)


@pytest.mark.parametrize("accuracies", [{}, {0: 0.5}, {0: float("nan"), 1: 0.5, 2: 0.5}])
def test_numbers_that_are_not_there_are_null_in_json(accuracies):
    text = json.dumps(compare([record("A", accuracies)]).to_json(), allow_nan=False)
    assert "null" in text


def test_no_runs_at_all_are_an_empty_comparison():
    assert compare([]).to_json()["runs"] == []
