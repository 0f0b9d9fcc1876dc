"""Where two traces of a fold part."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.analysis.divergence import FoldTrace, parting
from foldproof.events.types import EpochFinished, FoldFinished, FoldStarted

STEPS = 4


def trace(epochs: int = 3) -> FoldTrace:
    return FoldTrace(
        repeat=0,
        fold=2,
        started=FoldStarted(
            train_images=12, validation_images=6, parameters=30, trained_parameters=30, weights_sha256="a" * 64
        ),
        epochs=tuple(
            EpochFinished(
                epoch=epoch,
                steps=STEPS * epoch,
                lr=0.01,
                train_loss=1.0 / epoch,
                train_accuracy=0.5,
                val_loss=1.0,
                val_accuracy=0.5,
                weights_sha256=f"{epoch}" * 64,
            )
            for epoch in range(1, epochs + 1)
        ),
        finished=FoldFinished(
            epochs=epochs,
            scores={"accuracy": 0.5},
            per_class={"cat": 0.5},
            weights_sha256=f"{epochs}" * 64,
            predictions_sha256="p" * 64,
        ),
        losses=np.linspace(1, 0.1, STEPS * epochs, dtype=np.float32),
    )


def test_equal_traces_do_not_part():
    assert parting(trace(), trace()) is None


@given(st.integers(0, 3 * STEPS - 1), st.integers(0, 31))
def test_any_bit_of_any_loss_is_found_at_its_step(step, bit):
    other = trace().losses.copy()
    other.view(np.uint32)[step] ^= np.uint32(1 << bit)
    found = parting(trace(), replace(trace(), losses=other))
    assert found is not None
    assert (found.epoch, found.step, found.kind) == (step // STEPS + 1, step % STEPS + 1, "loss")
    assert (found.then, found.now) == (repr(float(trace().losses[step])), repr(float(other[step])))


@given(st.integers(1, 3))
def test_weights_that_differ_after_equal_losses_are_found_at_their_epoch(epoch):
    epochs = list(trace().epochs)
    epochs[epoch - 1] = replace(epochs[epoch - 1], weights_sha256="f" * 64)
    found = parting(trace(), replace(trace(), epochs=tuple(epochs)))
    assert found is not None
    assert (found.epoch, found.step, found.kind) == (epoch, None, "weights")
    assert (found.then, found.now) == (f"{epoch}" * 64, "f" * 64)


def test_the_first_difference_counts_and_not_the_largest():
    other = replace(
        trace(),
        losses=trace().losses * np.where(np.arange(12) < 5, 1, 2).astype(np.float32),
        finished=replace(trace().finished, predictions_sha256="q" * 64),
    )
    found = parting(trace(), other)
    assert found is not None
    assert found.place == "fold 2, epoch 2, step 2"


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"train_images": 11}, "sizes"),
        ({"parameters": 31}, "sizes"),
        ({"weights_sha256": "b" * 64}, "initial weights"),
    ],
)
def test_what_differs_before_the_first_epoch_is_said_so(changed, kind):
    found = parting(trace(), replace(trace(), started=replace(trace().started, **changed)))
    assert found is not None
    assert (found.epoch, found.kind) == (0, kind)
    assert found.place == "fold 2, before the first epoch"


@pytest.mark.parametrize(
    ("changed", "kind"),
    [({"predictions_sha256": "q" * 64}, "predictions"), ({"scores": {"accuracy": 0.6}}, "scores")],
)
def test_an_end_that_differs_is_found_after_equal_epochs(changed, kind):
    found = parting(trace(), replace(trace(), finished=replace(trace().finished, **changed)))
    assert found is not None
    assert (found.epoch, found.kind) == (3, kind)


def test_a_metric_that_only_one_of_two_ends_was_measured_by_is_no_difference():
    finished = trace().finished
    assert finished is not None
    more = replace(trace(), finished=replace(finished, scores={**finished.scores, "installed_since": 0.1}))
    assert parting(trace(), more) is None
    assert parting(more, trace()) is None
    other = replace(more, finished=replace(finished, scores={"accuracy": 0.6, "installed_since": 0.1}))
    found = parting(trace(), other)
    assert found is not None
    assert (found.kind, found.then, found.now) == ("scores", "scores {'accuracy': 0.5}", "{'accuracy': 0.6}")


def test_a_fold_that_lacks_epochs_parts_where_they_end():
    found = parting(trace(), replace(trace(), epochs=trace().epochs[:2], finished=None))
    assert found is not None
    assert (found.epoch, found.kind) == (3, "end")


@given(st.integers(1, 3))
def test_a_beginning_is_compared_with_the_beginning_alone(epochs):
    beginning = replace(
        trace(), epochs=trace().epochs[:epochs], finished=None, losses=trace().losses[: STEPS * epochs].copy()
    )
    assert parting(trace(), beginning, epochs=epochs) is None


def test_without_losses_the_epoch_is_found():
    epochs = (trace().epochs[0], replace(trace().epochs[1], val_loss=1.5), trace().epochs[2])
    found = parting(replace(trace(), losses=None), replace(trace(), epochs=epochs, losses=None))
    assert found is not None
    assert (found.epoch, found.step, found.kind) == (2, None, "scores")


def test_a_loss_that_is_not_a_number_twice_is_no_difference():
    epochs = (replace(trace().epochs[0], val_loss=float("nan")), *trace().epochs[1:])
    assert parting(replace(trace(), epochs=epochs), replace(trace(), epochs=epochs)) is None


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("lacking", "place", "then", "now"),
    [
        ({"epochs": 2, "finished": None}, (3, "end"), "recorded", "missing"),
        ({"finished": None}, (3, "end"), "recorded", "missing"),
        ({"started": None}, (0, "end"), "recorded", "missing"),
    ],
)
def test_what_one_side_lacks_is_said_from_either_side(lacking, place, then, now, turned):
    changed = {**lacking, "epochs": trace().epochs[: lacking.get("epochs", 3)]}
    sides = (trace(), replace(trace(), **changed))
    found = parting(*(sides[::-1] if turned else sides))
    assert (found.epoch, found.kind) == place
    assert (found.then, found.now) == ((now, then) if turned else (then, now))


def test_what_both_sides_lack_is_no_difference():
    nothing = replace(trace(), started=None, finished=None)
    assert parting(nothing, nothing) is None


def test_a_place_is_said_with_its_repeat_and_its_step_where_there_are_any():
    found = parting(trace(), replace(trace(), started=None))
    assert found.place == "fold 2, before the first epoch"
    assert replace(found, repeat=1, epoch=2).place == "fold 1.2, epoch 2"
    assert replace(found, epoch=2, step=3).place == "fold 2, epoch 2, step 3"


def test_steps_that_only_one_side_has_are_no_difference_and_later_ones_of_a_shorter_file_are_not_looked_at():
    shorter = replace(trace(), losses=trace().losses[: STEPS + 2].copy())
    assert parting(trace(), shorter) is None
    other = trace().losses.copy()
    other[STEPS + 1] += 1
    found = parting(shorter, replace(trace(), losses=other))
    assert (found.epoch, found.step, found.kind) == (2, 2, "loss")


@pytest.mark.parametrize(("then", "now"), [(1.0, math.nan), (math.nan, 1.0), (1.0, 2.0), (math.nan, math.nan)])
def test_a_number_and_none_are_a_difference_and_none_twice_is_not(then, now):
    sides = [
        replace(trace(), epochs=(trace().epochs[0], replace(trace().epochs[1], val_loss=loss), trace().epochs[2]))
        for loss in (then, now)
    ]
    found = parting(*sides)
    if math.isnan(then) and math.isnan(now):
        assert found is None
    else:
        assert (found.epoch, found.kind, found.then, found.now) == (2, "scores", f"val loss {then}", f"{now}")
