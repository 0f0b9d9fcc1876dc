"""Whose epochs come first: what is read back is what a run writes, and a few words of it."""

import pytest

from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.events.reuse import Reuse, describe_reuse
from foldproof.plan.warm_start import begins_alike

TWO = Reuse(run="20260102-030405-aaaaaa", experiment="FirstRun", epochs=2)
ONE = Reuse(run="20260102-030405-bbbbbb", experiment="Short", epochs=1)


def test_what_an_event_tells_of_is_read_back_and_silence_too():
    assert Reuse.of({"pid": 1, **TWO.to_about()}) == TWO
    assert Reuse.of({"pid": 1}) is None


@pytest.mark.parametrize(
    "said",
    [
        "FirstRun",
        {},
        {"run": TWO.run, "experiment": "FirstRun"},
        {"run": "../..", "experiment": "FirstRun", "epochs": 2},
        {"run": TWO.run, "experiment": "[bold]", "epochs": 2},
        {"run": TWO.run, "experiment": "FirstRun", "epochs": 0},
        {"run": TWO.run, "experiment": "FirstRun", "epochs": True},
        {"run": TWO.run, "experiment": "FirstRun", "epochs": 2, "also": 1},
    ],
)
def test_what_no_run_writes_is_refused(said):
    with pytest.raises(ValueError, match="of no run"):
        Reuse.of({"reuse": said})


def test_words_name_what_most_folds_begin_with():
    assert describe_reuse([TWO, TWO], folds=2) == "2 epochs of FirstRun"
    assert describe_reuse([ONE, TWO, TWO], folds=3) == "2 epochs of FirstRun in 2 of 3 folds"
    assert describe_reuse([ONE], folds=1) == "1 epoch of Short"
    assert describe_reuse([], folds=3) == ""


@pytest.mark.parametrize(
    ("train", "alike"),
    [
        (TrainSettings(), True),
        (TrainSettings(optimizer="sgd", augment="light"), True),
        (TrainSettings(schedule="cosine"), False),
        (TrainSettings(schedule="ours:constant"), False),
        (TrainSettings(optimizer="ours:adam"), False),
    ],
)
def test_only_a_constant_rate_and_an_optimiser_of_ours_begin_alike(train, alike):
    assert begins_alike(ExperimentConfig(name="x", pixels=PixelSettings(), folds=FoldSettings(), train=train)) is alike
