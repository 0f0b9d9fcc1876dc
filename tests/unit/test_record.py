"""Replaying journals."""

import json
import math
from pathlib import Path

import pytest

from foldproof.errors import DamagedFile
from foldproof.events.journal import JournalWriter
from foldproof.events.types import (
    EpochFinished,
    FoldFailed,
    FoldFinished,
    FoldStarted,
    RunFinished,
    RunStarted,
)
from foldproof.records.record import RunRecord, Spread

ACCURACIES = {0: (0.5, 0.8, 0.6), 1: (0.4, 0.5, 0.9)}


def epoch(number: int, accuracy: float) -> EpochFinished:
    return EpochFinished(
        epoch=number,
        steps=number,
        lr=0.1,
        train_loss=1.0,
        train_accuracy=0.5,
        val_loss=1 - accuracy,
        val_accuracy=accuracy,
        weights_sha256="0" * 64,
    )


STARTED = FoldStarted(train_images=4, validation_images=2, parameters=9, trained_parameters=9, weights_sha256="0" * 64)
FINISHED = FoldFinished(epochs=3, scores={"accuracy": 0.6}, per_class={}, weights_sha256="", predictions_sha256="")


def write_run(folder: Path, *, k: int = 2) -> Path:
    config = {"name": "A", "folds": {"k": k, "repeats": 1, "seed": 0}, "train": {}, "pixels": {}}
    proof = {"identity": "i", "fingerprint": "f", "folds_digest": "d", "classes": ["a", "b"], "images": 6}
    facts = {"v": 1, "run": folder.name, "experiment": "A", **proof, "config": config}
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    with JournalWriter(folder, run=folder.name, about={}) as run:
        run.append(RunStarted(experiment="A", identity="i", fingerprint="f", folds=k, repeats=1, epochs=3))
        for fold, accuracies in ACCURACIES.items():
            place = folder / f"fold-0-{fold}"
            place.mkdir()
            with JournalWriter(place, run=folder.name, repeat=0, fold=fold, about={}) as journal:
                journal.append(STARTED)
                for number, accuracy in enumerate(accuracies, start=1):
                    journal.append(epoch(number, accuracy))
                journal.append(FINISHED)
        run.append(RunFinished(status="finished"))
    return folder


def test_a_run_amounts_to_what_its_journals_say(tmp_path):
    record = RunRecord.read(write_run(tmp_path / "r"))
    assert (record.status, record.experiment, record.complete) == ("finished", "A", True)
    assert record.last_accuracy.mean == pytest.approx(0.75)
    assert record.last_accuracy.sd == pytest.approx(math.sqrt(2 * 0.15**2))
    assert record.best_epoch_accuracy.mean == pytest.approx(0.85)
    assert record.best_epoch_loss.mean == pytest.approx(0.15)
    assert [round(spread.mean, 3) for spread in record.by_epoch("val_accuracy")] == [0.45, 0.65, 0.75]


def test_a_run_whose_folds_are_not_all_there_is_not_complete(tmp_path):
    record = RunRecord.read(write_run(tmp_path / "r", k=3))
    assert not record.complete
    assert record.last_accuracy.n == 2
    assert record.by_epoch("val_loss") == ()


def test_a_fold_that_failed_and_then_finished_is_finished(tmp_path):
    folder = write_run(tmp_path / "r", k=3)
    (folder / "fold-0-2").mkdir()
    with JournalWriter(folder / "fold-0-2", run="r", repeat=0, fold=2, about={}) as journal:
        for body in (STARTED, epoch(1, 0.1), FoldFailed(error="E", reason="r")):
            journal.append(body)
    assert RunRecord.read(folder).failed
    with JournalWriter(folder / "fold-0-2", run="r", repeat=0, fold=2, about={}) as journal:
        for body in (STARTED, epoch(1, 0.2), epoch(2, 0.3), FINISHED):
            journal.append(body)
    record = RunRecord.read(folder)
    assert not record.failed
    assert [e.val_accuracy for e in record.epochs[0, 2]] == [0.2, 0.3]


def test_folders_that_are_no_folds_are_left_alone(tmp_path):
    folder = write_run(tmp_path / "r")
    for name in ("fold-x-y", "fold-0-1-copy", "fold-0"):
        (folder / name).mkdir()
    (folder / "notes").mkdir()
    assert len(RunRecord.read(folder).finished) == 2


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"v": 1}', '{"v": 99, "run": "r"}', "not json"])
def test_a_damaged_description_is_said(tmp_path, content):
    folder = write_run(tmp_path / "r")
    (folder / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"run\.json"):
        RunRecord.read(folder)


def test_a_finished_fold_that_is_trained_anew_is_not_finished_until_it_is_again(tmp_path):
    folder = write_run(tmp_path / "r")
    with JournalWriter(folder / "fold-0-1", run="r", repeat=0, fold=1, about={}) as journal:
        journal.append(STARTED)
        assert list(RunRecord.read(folder).finished) == [(0, 0)]
        assert not math.isnan(RunRecord.read(folder).last_accuracy.mean)
        for body in (epoch(1, 0.3), FINISHED):
            journal.append(body)
    assert RunRecord.read(folder).epochs[0, 1][-1].val_accuracy == 0.3


def test_the_deviation_of_one_fold_is_not_known():
    assert math.isnan(Spread.of([0.5]).sd)
    assert Spread.of([0.5]).mean == 0.5


def test_no_folds_have_no_mean():
    assert math.isnan(Spread.of([]).mean)
    assert Spread.of([]).n == 0
