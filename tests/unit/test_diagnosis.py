"""Diagnosis: from curves and predictions drawn to a cause, the words that name it, and no others."""

import math

import numpy as np
import pytest

from foldproof.analysis.comparison import Disagreement
from foldproof.analysis.diagnosis import diagnose
from foldproof.analysis.diagnosis.rules import RULES
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.events.types import EpochFinished, FoldFailed, FoldFinished, FoldStarted
from foldproof.record import RunRecord

GUESSING = math.log(10)


def record_of(
    train_loss,
    val_loss,
    *,
    train_accuracy=0.95,
    val_accuracy=0.94,
    folds=5,
    images=200,
    failed=(),
    swing=(),
    **settings,
):
    """A run whose folds all have these curves; `swing`: {(fold, epoch): (val_loss, val_accuracy)} of single points."""
    length = len(train_loss)
    swing = dict(swing)

    def curve(values):
        return list(values) if isinstance(values, list | tuple | np.ndarray) else [values] * length

    def epoch(fold, number):
        loss, accuracy = swing.get((fold, number + 1), (val_loss[number], curve(val_accuracy)[number]))
        return EpochFinished(
            epoch=number + 1,
            steps=10,
            lr=0.001,
            train_loss=train_loss[number],
            train_accuracy=curve(train_accuracy)[number],
            val_loss=loss,
            val_accuracy=accuracy,
            weights_sha256="",
        )

    places = [(0, fold) for fold in range(folds)]
    done = FoldFinished(epochs=length, scores={}, per_class={}, weights_sha256="", predictions_sha256="")
    started = FoldStarted(
        train_images=800, validation_images=images, parameters=1, trained_parameters=1, weights_sha256=""
    )
    train = {"lr": 0.001, "epochs": length, "schedule": "constant", "augment": "none", "weight_decay": 0.0, **settings}
    return RunRecord(
        folder=None,
        facts={
            "run": "r",
            "experiment": "First",
            "classes": [str(n) for n in range(10)],
            "config": {"folds": {"k": folds, "repeats": 1}, "train": train},
        },
        started=None,
        started_at=None,
        ended_at=None,
        status="finished",
        fold_started=dict.fromkeys(places, started),
        epochs={place: tuple(epoch(place[1], number) for number in range(length)) for place in places},
        finished={place: done for place in places if place not in dict(failed)},
        failed=dict(failed),
        notices=(),
    )


def table_of(counts, *, confidence=0.9, classes=None):
    """Predictions whose confusion matrix is `counts`, all of one confidence."""
    counts = np.array(counts)
    size = len(counts)
    labels = np.repeat(np.arange(size), counts.sum(axis=1))
    answers = np.concatenate([np.repeat(np.arange(size), row) for row in counts])
    probabilities = np.full((len(labels), size), (1 - confidence) / (size - 1), dtype=np.float32)
    probabilities[np.arange(len(labels)), answers] = confidence
    names = np.array([str(n) for n in range(len(labels))], dtype=np.str_)
    return OutOfFold(
        classes=tuple(classes or (str(n) for n in range(size))),
        paths=names,
        sha256=names,
        groups=names,
        labels=labels.astype(np.int64),
        repeats=np.zeros(len(labels), dtype=np.int64),
        folds=np.arange(len(labels)) % 5,
        probabilities=probabilities,
    )


def even(size, right, wrong):
    return np.full((size, size), wrong) + (right - wrong) * np.eye(size, dtype=int)


HEALTHY = {"train_loss": [1.2, 0.4, 0.25, 0.2, 0.18], "val_loss": [0.9, 0.42, 0.3, 0.26, 0.25]}


def said(record, table=None, **more):
    return {one.code: one for one in diagnose(record, table, **more)}


def test_of_a_healthy_run_nothing_is_said():
    assert said(record_of(**HEALTHY), table_of(even(10, 91, 1), confidence=0.91)) == {}


def test_curves_that_still_fall_with_a_low_accuracy_are_underfitting():
    found = said(
        record_of([2.2, 1.7, 1.3], [2.1, 1.6, 1.25], train_accuracy=[0.2, 0.4, 0.6], val_accuracy=[0.2, 0.4, 0.61])
    )
    assert set(found) == {"underfitting"}
    assert "try train.epochs: 6" in found["underfitting"].text
    assert found["underfitting"].evidence["train_accuracy"] == pytest.approx(0.6)


def test_a_flat_training_loss_with_a_low_accuracy_asks_for_a_larger_model():
    curves = [1.5, 1.1, 1.01, 1.0, 0.999]
    found = said(record_of(curves, curves, train_accuracy=0.6, val_accuracy=0.6))
    assert "larger train.backbone" in found["underfitting"].text
    found = said(record_of(curves, curves, train_accuracy=0.6, val_accuracy=0.6, freeze_backbone=True))
    assert "train.freeze_backbone: false" in found["underfitting"].text


def test_a_validation_loss_that_rises_while_training_falls_is_overfitting_since_the_epoch_of_its_minimum():
    found = said(
        record_of(
            [1.2, 0.6, 0.3, 0.1, 0.05, 0.02], [1.1, 0.7, 0.6, 0.7, 0.8, 0.9], train_accuracy=0.99, val_accuracy=0.8
        )
    )
    assert set(found) == {"overfitting"}
    assert found["overfitting"].evidence["best_epoch"] == 3
    assert "from epoch 3 on" in found["overfitting"].text
    assert "train.epochs: 3" in found["overfitting"].text


def test_accuracies_far_apart_are_overfitting_too():
    found = said(record_of([1.2, 0.3, 0.1, 0.05], [1.1, 0.9, 0.88, 0.87], train_accuracy=0.99, val_accuracy=0.7), None)
    assert set(found) == {"overfitting"}
    assert "99.0 %" in found["overfitting"].text
    assert "70.0 %" in found["overfitting"].text


def test_labels_that_do_not_carry_over_are_to_be_looked_at():
    found = said(record_of([2.2, 1.0, 0.1], [2.3, 3.0, 4.0], train_accuracy=0.99, val_accuracy=0.1))
    assert "look at the labels" in found["overfitting"].text


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_a_divergence(bad):
    found = said(record_of([1.0, bad], [1.0, bad]))
    assert set(found) == {"diverged"}
    assert "try train.lr: 0.0001" in found["diverged"].text


def test_a_fold_that_failed_for_its_loss_diverged_and_the_others_are_judged_without_it():
    failure = FoldFailed(error="TrainingError", reason="the loss is nan in step 3 of epoch 1\n  try a smaller train.lr")
    found = said(record_of(**HEALTHY, failed={(0, 2): failure}.items()))
    assert set(found) == {"diverged"}
    assert found["diverged"].place == (0, 2)
    assert "fold 2 diverged: the loss is nan in step 3 of epoch 1;" in found["diverged"].text


def test_a_fold_that_failed_for_another_reason_did_not_diverge():
    failure = FoldFailed(error="OutOfMemoryError", reason="no memory")
    assert said(record_of(**HEALTHY, failed={(0, 2): failure}.items())) == {}


def test_a_training_loss_that_grows_beyond_guessing_is_a_divergence():
    assert set(said(record_of([1.0, 3.0, 9.0], [1.0, 5.0, 20.0], train_accuracy=0.1, val_accuracy=0.1))) == {"diverged"}


def test_a_training_loss_thrown_far_above_guessing_is_too_high_a_rate():
    found = said(record_of([30.0, 3.0, 2.4], [900.0, 9.0, 3.0], train_accuracy=0.15, val_accuracy=0.14))
    assert set(found) == {"rate-too-high"}
    assert found["rate-too-high"].evidence["epoch"] == 1
    assert "guessing gives 2.3" in found["rate-too-high"].text


def test_a_training_loss_that_jumps_about_that_of_guessing_is_too_high_a_rate():
    found = said(record_of([2.3, 2.9, 2.3, 2.9, 2.4], [2.3, 3.0, 2.4, 2.9, 2.4], train_accuracy=0.1, val_accuracy=0.1))
    assert set(found) == {"rate-too-high"}


def test_a_loss_that_falls_slowly_and_evenly_is_too_low_a_rate():
    found = said(record_of([2.4, 2.33, 2.27, 2.2], [2.35, 2.3, 2.24, 2.18], train_accuracy=0.25, val_accuracy=0.24))
    assert set(found) == {"rate-too-low"}
    assert "try train.lr: 0.01" in found["rate-too-low"].text


def test_where_nothing_was_learned_no_cause_is_named():
    found = said(record_of([2.31, 2.3, 2.303, 2.302], [2.31, 2.3, 2.31, 2.3], train_accuracy=0.1, val_accuracy=0.1))
    assert set(found) == {"nothing-learned"}


def test_a_model_that_only_knows_the_largest_class_has_learned_nothing():
    table = table_of([[95, 0], [5, 0]], confidence=0.95)
    loss = -(0.95 * math.log(0.95) + 0.05 * math.log(0.05))
    found = said(record_of([loss * 1.2, loss, loss], [loss] * 3, train_accuracy=0.95, val_accuracy=0.95), table)
    assert "nothing-learned" in found


def test_swings_of_the_validation_loss_are_unstable():
    swing = {(1, 3): (0.6, 0.85), (4, 5): (0.7, 0.82)}
    found = said(record_of(**HEALTHY, swing=swing.items()))
    assert set(found) == {"unstable"}
    assert found["unstable"].evidence["folds"] == 2
    assert "in fold 4 from 0.26 to 0.7 in epoch 5 (accuracy 94.0 % to 82.0 %)" in found["unstable"].text
    assert "train.schedule: cosine" in found["unstable"].text


def test_one_swing_in_five_folds_is_not_said():
    assert said(record_of(**HEALTHY, swing={(1, 3): (0.6, 0.85)}.items())) == {}


def test_swings_of_a_few_images_are_not_said():
    swing = {(1, 3): (0.6, 0.85), (4, 5): (0.7, 0.82)}
    assert "unstable" not in said(record_of(**HEALTHY, images=20, swing=swing.items()))


def test_a_best_epoch_at_the_end_asks_for_more_and_at_the_beginning_for_less():
    found = said(record_of([1.2, 0.5, 0.3], [1.1, 0.6, 0.4]))
    assert set(found) == {"best-epoch-last"}
    assert "in every fold" in found["best-epoch-last"].text
    assert "train.epochs: 6" in found["best-epoch-last"].text
    found = said(record_of([0.5, 0.4, 0.35, 0.3], [0.5, 0.52, 0.52, 0.53]))
    assert set(found) == {"best-epoch-first"}


def disagreement(*, flagged):
    return Disagreement(
        test="chi-squared", p=1e-5, adjusted=3e-5, place=(0, 3), score=0.32, others=0.512, flagged=flagged
    )


def test_a_fold_that_disagrees_is_named_with_the_command_that_tells_why():
    found = said(record_of(**HEALTHY), disagreement=disagreement(flagged=True))
    assert found["fold-disagrees"].place == (0, 3)
    assert "fold 3 scored 32.0 %, the others 51.2 % (p = 3e-05)" in found["fold-disagrees"].text
    assert "`foldproof run First --fold 3 --reseed`" in found["fold-disagrees"].text
    assert said(record_of(**HEALTHY), disagreement=disagreement(flagged=False)) == {}


def test_pairs_of_classes_that_are_mixed_up_are_counted_both_ways():
    counts = even(10, 91, 1)
    counts[3, 5], counts[3, 3] = 30, 62
    counts[5, 3], counts[5, 5] = 12, 80
    found = said(record_of(**HEALTHY), table_of(counts, confidence=0.88))
    assert set(found) == {"confused"}
    assert "'3' and '5': 21.0 % of their images, 30 one way and 12 the other" in found["confused"].text


def test_mistakes_spread_evenly_confuse_no_pair_and_two_classes_are_no_pair():
    assert said(record_of(**HEALTHY), table_of(even(3, 70, 15), confidence=0.7)) == {}
    assert said(record_of(**HEALTHY), table_of(even(2, 70, 30), confidence=0.7)) == {}


def test_a_class_never_predicted_is_named():
    counts = even(10, 91, 1)
    counts[:, 0] += counts[:, 7]
    counts[:, 7] = 0
    found = said(record_of(**HEALTHY), table_of(counts, confidence=0.85))
    assert "no image was taken for '7'" in found["never-predicted"].text
    small = [[200, 0, 0], [0, 200, 0], [10, 10, 0]]
    found = said(record_of(**HEALTHY), table_of(small, confidence=0.95))
    assert "train.class_weights: balanced" in found["never-predicted"].text


def test_confidence_is_held_against_accuracy():
    table = even(10, 82, 2)
    found = said(record_of(**HEALTHY), table_of(table, confidence=0.97))
    assert set(found) == {"over-confident"}
    assert (
        "mean confidence is 97.0 %, accuracy 82.0 % (expected calibration error 15.0 %)" in found["over-confident"].text
    )
    assert set(said(record_of(**HEALTHY), table_of(table, confidence=0.6))) == {"under-confident"}


def test_names_of_classes_are_shown_as_text():
    counts = even(3, 80, 1)
    counts[0, 1] = counts[1, 0] = 25
    table = table_of(counts, confidence=0.85, classes=("\x1b[31mred", "two\nlines", "c" * 300))
    text = said(record_of(**HEALTHY), table)["confused"].text
    assert text.isprintable()
    assert len(text) < 400


@pytest.mark.parametrize("rate", [None, "much", math.inf])
def test_a_rate_that_is_none_is_not_calculated_with(rate):
    found = said(record_of([30.0, 3.0], [900.0, 9.0], train_accuracy=0.15, val_accuracy=0.14, lr=rate))
    assert "try another train.lr" in found["rate-too-high"].text
    assert "lr" not in found["rate-too-high"].evidence


def test_every_rule_has_its_words_in_the_table_and_silences_only_rules():
    for rule in RULES.values():
        assert rule.said_when
        assert rule.next_step
        assert set(rule.silences) <= RULES.keys()
