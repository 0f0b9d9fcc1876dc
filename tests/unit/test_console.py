"""Progress for a person."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from foldproof.events.types import EpochFinished, Event, FoldFailed, FoldFinished, FoldStarted, Notice, RunFinished
from foldproof.trackers import RunPlan, TrackerContext
from foldproof.trackers.console import ConsoleTracker, WorkLeft
from foldproof.trackers.plan_shown import duration, plan_line, plan_table, size

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


def test_what_is_noted_of_several_runs_is_said_once():
    assert told().count("note: look here") == 1


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


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (34_567_890, "34.6 MB"), (4e14, "400 TB")]
)
def test_sizes_are_said_in_words(count, text):
    assert size(count) == text


def test_at_a_terminal_the_plan_is_a_table_with_time_disk_and_what_is_there():
    first = replace(PLAN, bytes=3_000_000)
    second = replace(PLAN, experiment="Second", folds=5, epochs=4, finished=3, epochs_done=14, goes_on="r0", seconds=8)
    out = io.StringIO()
    Console(file=out, width=120).print(plan_table([first, second], parallel_folds=2))
    head, one, other = (" ".join(line.split()) for line in out.getvalue().splitlines())
    assert head == "experiment folds epochs time disk"
    assert one == "[bold]First 2 1 20 s 3.0 MB"
    assert other == "Second 2 of 5 4 4 s goes on in r0: has 3 folds, 2 epochs of other folds"


def test_the_time_left_is_that_of_all_runs_and_known_before_the_first_epoch(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("foldproof.trackers.console.time", SimpleNamespace(monotonic=lambda: now[0]))
    work = WorkLeft((PLAN, replace(PLAN, run="r2", seconds=120.0)), parallel_folds=2)
    now[0] += 10
    assert work.left() == "about 1 min 10 s left"  # of (40 + 120) / 2 s
    work.epoch_done("r1")  # 20 of 160 weighted seconds, in 10 s
    assert work.left() == "about 1 min 10 s left"
    work.epoch_done("r2")
    assert work.left() == "about 10 s left"


def test_of_several_runs_the_last_bar_is_of_all():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, highlight=False)
    plans = (PLAN, replace(PLAN, run="r2", experiment="Second"))
    tracker = ConsoleTracker(
        TrackerContext(folders=(), plans=plans, target=None, quiet=False, parallel_folds=2), console=console
    )
    tracker.tell(Event(run="r1", repeat=0, fold=0, seq=0, time=0.0, body=EPOCH))
    tracker.close()
    assert "together" in out.getvalue()
    assert "1/4 epochs" in out.getvalue()


def test_no_estimate_is_made_of_less_than_a_second():
    assert plan_line((replace(PLAN, seconds=0.3),), parallel_folds=2) == "1 experiment, 2 folds, 2 at once"
