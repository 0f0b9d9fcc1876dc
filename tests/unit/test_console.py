"""Progress for a person."""

import io

import pytest
from rich.console import Console

from foldproof.events.types import EpochFinished, Event, FoldFailed, FoldFinished, FoldStarted, Notice, RunFinished
from foldproof.trackers import RunPlan, TrackerContext
from foldproof.trackers.console import ConsoleTracker, duration

PLAN = RunPlan(run="r1", experiment="[bold]First", folds=2, repeats=1, epochs=1, seconds=40.0)
EPOCH = EpochFinished(
    epoch=1, steps=1, lr=0.1, train_loss=1, train_accuracy=0.5, val_loss=1, val_accuracy=0.75, weights_sha256=""
)
DONE = FoldFinished(epochs=1, scores={"accuracy": 0.75}, per_class={}, weights_sha256="", predictions_sha256="")
BEGUN = FoldStarted(train_images=4, validation_images=2, parameters=9, trained_parameters=9, weights_sha256="")


def told(*, terminal: bool = False, quiet: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, highlight=False)
    context = TrackerContext(folders=(), plans=(PLAN,), target=None, quiet=quiet, parallel_folds=2)
    tracker = ConsoleTracker(context, console=console)
    for seq, (fold, body) in enumerate(
        [
            (0, BEGUN),
            (0, EPOCH),
            (0, DONE),
            (1, BEGUN),
            (1, FoldFailed(error="RuntimeError", reason="no luck")),
            (None, Notice(code="x", text="look here")),
            (None, RunFinished(status="failed")),
        ]
    ):
        repeat = None if fold is None else 0
        tracker.tell(Event(run="r1", repeat=repeat, fold=fold, seq=seq, time=float(seq), body=body))
    assert tracker.close() == ()
    return out.getvalue()


def test_a_plan_with_an_estimate_comes_first():
    assert told().splitlines()[0] == "1 experiment, 2 folds, 2 at once, about 20 s"


def test_every_fold_is_a_plain_line_where_there_is_no_terminal():
    text = told()
    assert "[bold]First fold 0: accuracy 0.7500 (2 s)" in text
    assert "[bold]First fold 1 failed: no luck" in text
    assert "\x1b" not in text


def test_a_terminal_gets_bars():
    text = told(terminal=True)
    assert "1/2 epochs" in text or "2/2 epochs" in text


def test_quiet_shows_failures_only():
    assert told(quiet=True).splitlines() == ["[bold]First fold 1 failed: no luck"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (125, "2 min 5 s"), (3600 * 3 + 1200, "3 h 20 min"), (-1, "0 s")],
)
def test_durations_are_said_in_words(seconds, text):
    assert duration(seconds) == text
