"""What a run amounted to, as JSON tells it."""

import json
import math

from foldproof.analysis.summary import Summary
from foldproof.records.record import RunRecord
from journaled import HEX, JournaledRun


def test_a_run_is_told_with_its_settings_its_means_and_each_fold(tmp_path):
    run = JournaledRun.make(tmp_path, k=2, repeats=2, epochs=2)
    run.start()
    for place in ((0, 0), (0, 1), (1, 0)):
        run.begin_fold(place, epochs=2)
        run.finish_fold(place)
    told = json.loads(json.dumps(Summary.of(RunRecord.read(run.folder)).to_json()))
    last = [0.5 + 2 / 64, 0.5 + 1 / 16 + 2 / 64, 0.5 + 1 / 32 + 2 / 64]
    best = [last[0], 0.5 + 1 / 16 + 1 / 64 + 0.25, last[2]]

    def spread(values: list[float]) -> dict[str, float]:
        mean = math.fsum(values) / 3
        return {"mean": mean, "sd": math.sqrt(sum((value - mean) ** 2 for value in values) / 2), "n": 3}

    for name, values in (
        ("accuracy", last),
        ("loss", [0.5] * 3),
        ("best_epoch_accuracy_optimistic", best),
        ("best_epoch_loss_optimistic", [0.5] * 3),
    ):
        found = told.pop(name)
        assert found.keys() == {"mean", "sd", "n"}
        assert all(math.isclose(found[key], value, abs_tol=1e-12) for key, value in spread(values).items()), name
    assert told == {
        "run": run.run,
        "experiment": "Run_High_LR",
        "identity": HEX,
        "status": told["status"],
        "folds_expected": 4,
        "settings": {
            "data.image_size": "auto",
            "data.resize": "squash",
            "folds.k": 2,
            "folds.seed": 42,
            "folds.repeats": 2,
            "train.backbone": "small_cnn",
            "train.epochs": 2,
            "train.lr": 0.01,
            "train.seed": 7,
            "train.pretrained": False,
        },
        "folds": [
            {"repeat": repeat, "fold": fold, "accuracy": value}
            for (repeat, fold), value in zip(((0, 0), (0, 1), (1, 0)), last, strict=True)
        ],
    }


def test_what_is_not_known_of_a_run_is_null(tmp_path):
    run = JournaledRun.make(tmp_path)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    told = Summary.of(RunRecord.read(run.folder)).to_json()
    assert (told["accuracy"], told["folds"]) == ({"mean": None, "sd": None, "n": 0}, [])
    run.finish_fold((0, 0))
    summary = Summary.of(RunRecord.read(run.folder))
    assert summary.to_json()["accuracy"] == {"mean": 0.53125, "sd": None, "n": 1}
    assert (summary.images_by_fold, summary.scheme) == ({(0, 0): 20}, "stratified")
    assert summary.scores_by_fold[0, 0]["accuracy"] == 0.53125
