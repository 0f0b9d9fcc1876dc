"""Diagnosis: from curves and predictions drawn to a cause, the words that name it, and no others."""

import math
from dataclasses import replace

import numpy as np
import pytest

from foldproof.analysis.comparison import Disagreement
from foldproof.analysis.diagnosis import diagnose
from foldproof.analysis.diagnosis.evidence import gather
from foldproof.analysis.diagnosis.rules import RULES
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.events.fold_id import FoldId
from foldproof.events.types import DIVERGED, EpochFinished, FoldFailed, FoldFinished, FoldStarted
from foldproof.records.record import RunRecord

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

    places = [FoldId(0, fold) for fold in range(folds)]
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
    reason = "the loss is nan in step 3 of epoch 1\n  try a smaller train.lr"
    failure = FoldFailed(error="TrainingError", reason=reason, code=DIVERGED)
    found = said(record_of(**HEALTHY, failed={FoldId(0, 2): failure}.items()))
    assert set(found) == {"diverged"}
    assert found["diverged"].fold_id == (0, 2)
    assert "fold 2 diverged: the loss is nan in step 3 of epoch 1;" in found["diverged"].text


def test_a_fold_that_failed_for_another_reason_did_not_diverge():
    failure = FoldFailed(error="OutOfMemoryError", reason="no memory")
    assert said(record_of(**HEALTHY, failed={FoldId(0, 2): failure}.items())) == {}


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
        test="chi-squared", p=1e-5, adjusted=3e-5, fold_id=FoldId(0, 3), score=0.32, others=0.512, flagged=flagged
    )


def test_a_fold_that_disagrees_is_named_with_the_command_that_tells_why():
    found = said(record_of(**HEALTHY), disagreement=disagreement(flagged=True))
    assert found["fold-disagrees"].fold_id == (0, 3)
    assert "fold 3 lies 19.2 points below the others (32.0 % against 51.2 %, p = 3e-05)" in found["fold-disagrees"].text
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
    assert "no image was predicted as '7'" in found["never-predicted"].text
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


def flat(*, first=1.5, last=1.0, fall=0.0):
    """A training loss that falls to `last`, of which `fall` is a share of the one before, in the last epoch."""
    return [first, 1.1, last / (1 - fall), last]


@pytest.mark.parametrize(
    ("train", "validation", "said_so"),
    [
        (0.8499, 0.83, True),
        (0.85, 0.83, False),
        (0.8, 0.7501, True),
        (0.8, 0.7499, False),
        (0.151, 0.15, True),
        (0.149, 0.148, False),
    ],
)
def test_underfitting_is_a_training_accuracy_below_85_with_validation_beside_it(train, validation, said_so):
    found = said(record_of(flat(), flat(), train_accuracy=train, val_accuracy=validation))
    assert ("underfitting" in found) == said_so


@pytest.mark.parametrize(("fall", "words"), [(0.0199, "no longer falls"), (0.0201, "too short a training")])
def test_a_loss_falls_still_from_two_hundredths_on(fall, words):
    found = said(record_of(flat(fall=fall), flat(), train_accuracy=0.6, val_accuracy=0.6))["underfitting"]
    assert words in found.text
    assert found.evidence["fall"] == pytest.approx(fall)


def test_one_epoch_that_fits_little_asks_for_five_and_weight_decay_for_none():
    found = said(record_of([1.5], [1.5], train_accuracy=0.6, val_accuracy=0.6))["underfitting"]
    assert "after one epoch" in found.text
    assert "train.epochs: 5" in found.text
    assert found.evidence == {"train_accuracy": pytest.approx(0.6), "val_accuracy": pytest.approx(0.6), "epochs": 1}
    found = said(record_of(flat(), flat(), train_accuracy=0.6, val_accuracy=0.6, weight_decay=0.1))
    assert "train.weight_decay: 0" in found["underfitting"].text


@pytest.mark.parametrize(
    ("validation", "said_so"),
    [
        ([1.0, 0.5, 0.551, 0.551], True),
        ([1.0, 0.5, 0.549, 0.549], False),  # by a tenth of the minimum
        ([1.0, 0.9, 0.5, 0.56], False),  # two epochs before at least
        ([1.0, 0.5, 0.6, 0.5001], True),  # the mean of the last two
    ],
)
def test_overfitting_is_a_validation_loss_a_tenth_above_a_minimum_two_epochs_before(validation, said_so):
    found = said(record_of([1.2, 0.6, 0.4, 0.3], validation, train_accuracy=0.95, val_accuracy=0.9))
    assert ("overfitting" in found) == said_so


def test_a_rise_with_a_training_loss_that_rises_too_or_in_one_fold_alone_is_no_overfitting():
    rising = [1.0, 0.5, 0.6, 0.62]
    assert "overfitting" not in said(record_of([1.2, 0.3, 0.4, 0.4], rising, train_accuracy=0.95, val_accuracy=0.9))
    lone = {(0, epoch): (1.6, 0.9) for epoch in (3, 4)}
    course = {"train_loss": [1.2, 0.6, 0.4, 0.3], "val_loss": [1.0, 0.5, 0.5, 0.5]}
    assert "overfitting" not in said(record_of(**course, swing=lone.items()))
    two = {(0, epoch): (0.7, 0.9) for epoch in (3, 4)}
    assert "overfitting" not in said(
        record_of(**course | {"val_loss": [1.0, 0.5, 0.49, 0.5]}, folds=2, swing=two.items())
    )


@pytest.mark.parametrize(("validation", "word"), [(0.8949, "fell"), (0.8951, "did not fall")])
def test_an_accuracy_fell_by_half_a_point(validation, word):
    accuracies = [0.8, 0.9, 0.9, validation]
    found = said(record_of([1.2, 0.6, 0.4, 0.3], [1.0, 0.5, 0.6, 0.7], train_accuracy=0.95, val_accuracy=accuracies))
    assert f"validation accuracy {word} (90.0 % to" in found["overfitting"].text
    assert found["overfitting"].evidence == {
        "best_epoch": 2,
        "epochs": 4,
        "rise": pytest.approx(0.3),
        "val_loss_best": pytest.approx(0.5),
        "val_loss_last": pytest.approx(0.7),
        "val_accuracy_best": pytest.approx(0.9),
        "val_accuracy_last": pytest.approx(validation),
    }


@pytest.mark.parametrize(
    ("train", "validation", "images", "said_so"),
    [
        ([0.9, 0.951], [0.75, 0.8], 200, True),
        ([0.9, 0.949], [0.75, 0.8], 200, False),
        ([0.8, 0.951], [0.75, 0.8], 200, False),  # in both of the last two epochs
        ([0.9, 0.951], [0.75, 0.8], 5, False),  # 25 images: chance makes 16 points
        ([0.9, 0.961], [0.75, 0.8], 6, False),
        ([0.9, 0.951], [0.75, 0.8], 6, True),  # 30 images: 14.6 points
    ],
)
def test_overfitting_is_15_points_between_the_accuracies_too_and_more_than_chance_makes(
    train, validation, images, said_so
):
    if images == 6 and not said_so:
        train = [0.89, 0.961]
    found = said(record_of([0.5, 0.4], [0.9, 0.89], train_accuracy=train, val_accuracy=validation, images=images))
    assert ("overfitting" in found) == said_so
    if said_so:
        assert found["overfitting"].evidence == {
            "train_accuracy": pytest.approx(train[-1]),
            "val_accuracy": pytest.approx(validation[-1]),
            "gap": pytest.approx(min(train[0] - validation[0], train[1] - validation[1])),
        }


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({}, "train.epochs: 2 or train.augment: light or train.weight_decay: 0.0005"),
        ({"augment": "light"}, "train.epochs: 2 or train.weight_decay: 0.0005"),
        ({"weight_decay": 0.1}, "train.epochs: 2 or train.augment: light"),
    ],
)
def test_against_overfitting_is_tried_what_is_not_done_yet(settings, remedy):
    curves = record_of([1.2, 0.6, 0.4, 0.3], [1.0, 0.5, 0.6, 0.7], **settings)
    assert said(curves)["overfitting"].text.endswith(f"try {remedy}")
    late = record_of([0.5, 0.4], [0.9, 0.89], train_accuracy=0.99, val_accuracy=0.7, augment="light", weight_decay=0.1)
    assert said(late)["overfitting"].text.endswith("try more images")


@pytest.mark.parametrize(("validation", "said_so"), [(0.15, True), (0.1501, False)])
def test_validation_at_chance_asks_to_look_at_the_labels(validation, said_so):
    found = said(record_of([2.2, 1.0, 0.1], [2.3, 3.0, 4.0], train_accuracy=0.99, val_accuracy=validation))
    assert ("look at the labels" in found["overfitting"].text) == said_so


@pytest.mark.parametrize(
    ("validation", "accuracy", "said_so"),
    [
        ([1.0, 0.6, 0.5399], 0.97, True),
        ([1.0, 0.6, 0.5401], 0.97, False),
        ([1.0, 0.6, 0.5], 0.9799, True),
        ([1.0, 0.6, 0.5], 0.98, False),
    ],
)
def test_a_best_epoch_at_the_end_gains_a_tenth_and_leaves_something_to_gain(validation, accuracy, said_so):
    found = said(record_of([1.2, 0.5, 0.3], validation, train_accuracy=0.99, val_accuracy=accuracy))
    assert ("best-epoch-last" in found) == said_so


def test_a_best_epoch_is_that_of_most_folds():
    early = {(fold, 2): (0.3, 0.94) for fold in (0, 1)}
    found = said(record_of([1.2, 0.5, 0.3], [1.1, 0.6, 0.4], swing=early.items()))
    assert found["best-epoch-last"].evidence["folds"] == 3
    half = record_of([1.2, 0.5, 0.3], [1.1, 0.6, 0.4], folds=4, swing=early.items())
    assert "best-epoch-last" not in said(half)
    late = {(fold, 4): (0.4, 0.94) for fold in (0, 1)}
    curves = {"train_loss": [0.5, 0.4, 0.35, 0.3], "val_loss": [0.5, 0.52, 0.55, 0.6]}
    found = said(record_of(**curves, swing=late.items()))["best-epoch-first"]
    assert (found.evidence["folds"], found.evidence["of_folds"]) == (3, 5)
    assert found.evidence["val_loss_first"] == pytest.approx(0.5)
    assert found.evidence["val_loss_last"] == pytest.approx(0.52)
    assert "train.lr: 0.0001" in found.text
    assert "best-epoch-first" not in said(record_of(**curves, folds=4, swing=late.items()))
    assert "best-epoch-first" not in said(record_of([0.5, 0.4], [0.5, 0.52]))


@pytest.mark.parametrize(("highest", "said_so"), [(1.501, True), (1.499, False)])
def test_a_training_loss_is_thrown_from_one_and_a_half_times_guessing_on(highest, said_so):
    curves = [2.0, highest * GUESSING, 1.0]
    found = said(record_of(curves, curves, train_accuracy=0.7, val_accuracy=0.69))
    assert ("rate-too-high" in found) == said_so
    if said_so:
        assert found["rate-too-high"].evidence == {
            "train_loss": pytest.approx(highest * GUESSING),
            "epoch": 2,
            "guessing": pytest.approx(GUESSING),
            "lr": 0.001,
        }


@pytest.mark.parametrize(
    ("curve", "said_so"),
    [
        ([2.0, 2.21, 2.2, 2.1], True),  # one jump of eleven hundredths in three
        ([2.0, 2.19, 2.2, 2.1], False),
        ([2.0, 2.21, 2.2, 2.15, 2.1], False),  # one in four
        ([2.0, 2.21, 2.2, 2.0], False),  # it ends below nine tenths of guessing
    ],
)
def test_a_rate_is_too_high_where_a_third_of_the_epochs_jump_and_the_end_is_near_guessing(curve, said_so):
    found = said(record_of(curve, curve, train_accuracy=0.3, val_accuracy=0.29))
    assert ("rate-too-high" in found) == said_so
    if said_so:
        assert found["rate-too-high"].evidence == {
            "train_loss": pytest.approx(max(curve)),
            "epoch": 2,
            "guessing": pytest.approx(GUESSING),
            "lr": 0.001,
            "jumps": 5,
            "transitions": 15,
        }


@pytest.mark.parametrize(
    ("loss", "accuracy", "said_so"),
    [(0.901, 0.149, True), (0.899, 0.149, False), (0.95, 0.15, True), (0.95, 0.1501, False)],
)
def test_nothing_was_learned_within_a_tenth_of_guessing_and_five_points_of_chance(loss, accuracy, said_so):
    curve = [GUESSING, GUESSING * loss, GUESSING * loss]
    found = said(record_of(curve, curve, train_accuracy=accuracy, val_accuracy=accuracy))
    assert ("nothing-learned" in found) == said_so


@pytest.mark.parametrize(
    ("curve", "accuracies", "said_so"),
    [
        ([2.0, 1.8, 1.6, 1.42], (0.5, 0.46), True),
        ([2.0, 1.8, 1.6, 1.39], (0.5, 0.46), False),  # by more than three tenths in all
        ([2.0, 1.8, 1.6, 1.51], (0.5, 0.46), False),  # less than half as much in the last
        ([2.0, 1.8, 1.8, 1.6], (0.5, 0.46), False),  # not in each
        ([2.0, 1.8, 1.6, 1.42], (0.5, 0.449), False),  # validation far below
        ([2.0, 1.8], (0.5, 0.46), False),
        ([1.5 * GUESSING + 0.01, 3.2, 3.0], (0.5, 0.46), False),
        ([1.5, 1.3, 1.14], (0.5, 0.46), False),  # below half of guessing
    ],
)
def test_a_rate_is_too_low_where_the_loss_falls_slowly_and_as_much_in_the_last_epoch(curve, accuracies, said_so):
    found = said(record_of(curve, curve, train_accuracy=accuracies[0], val_accuracy=accuracies[1]))
    assert ("rate-too-low" in found) == said_so


@pytest.mark.parametrize(
    ("swings", "said_so"),
    [
        ({(1, 3): (0.5881, 0.85), (4, 3): (0.5881, 0.85)}, True),
        ({(1, 3): (0.5879, 0.85), (4, 3): (0.5879, 0.85)}, False),  # by 1.4 times
        ({(1, 3): (0.7, 0.909), (4, 3): (0.7, 0.909)}, True),
        ({(1, 3): (0.7, 0.911), (4, 3): (0.7, 0.911)}, False),  # by three points
    ],
)
def test_a_swing_is_a_loss_14_tenths_of_the_one_before_and_three_points_lost(swings, said_so):
    assert ("unstable" in said(record_of(**HEALTHY, swing=swings.items()))) == said_so


@pytest.mark.parametrize(("images", "said_so"), [(84, True), (82, False)])
def test_a_swing_costs_five_images(images, said_so):
    swings = {(1, 3): (0.7, 0.88), (4, 3): (0.7, 0.88)}
    assert ("unstable" in said(record_of(**HEALTHY, images=images, swing=swings.items()))) == said_so


@pytest.mark.parametrize(
    ("last", "lowest", "said_so"),
    [(1.51, 1.2, True), (1.49, 1.2, False), (1.51, 1.27, False)],
)
def test_a_fold_diverged_from_one_and_a_half_times_guessing_and_12_tenths_of_its_lowest_on(last, lowest, said_so):
    curve = [2 * GUESSING, lowest * GUESSING, last * GUESSING]
    assert ("diverged" in said(record_of(curve, curve, train_accuracy=0.1, val_accuracy=0.1))) == said_so


@pytest.mark.parametrize(
    ("each_way", "said_so"),
    [(9, False), (10, True), (11, True)],
)
def test_two_classes_are_mixed_up_from_a_tenth_of_their_images_on(each_way, said_so):
    counts = np.diag([100] * 10)
    counts[3, 5] = counts[5, 3] = each_way
    counts[3, 3] = counts[5, 5] = 100 - each_way
    found = said(record_of(**HEALTHY), table_of(counts, confidence=0.98))
    assert ("confused" in found) == said_so
    if said_so:
        assert found["confused"].evidence == {
            "pairs": 1,
            "first": "3",
            "second": "5",
            "first_as_second": each_way,
            "second_as_first": each_way,
            "share": pytest.approx(each_way / 100),
        }


@pytest.mark.parametrize(("exchanged", "said_so"), [(4, False), (5, True)])
def test_two_classes_are_mixed_up_from_five_images_on(exchanged, said_so):
    counts = np.diag([20] * 10)
    counts[3, 5], counts[3, 3] = exchanged, 20 - exchanged
    assert ("confused" in said(record_of(**HEALTHY), table_of(counts, confidence=0.98))) == said_so


@pytest.mark.parametrize(
    ("counts", "balanced", "remedy"),
    [
        ([[100, 0, 0], [0, 100, 0], [19, 19, 0]], False, "train.class_weights: balanced"),  # 38 of 238 in 3 classes
        ([[100, 0, 0], [0, 100, 0], [20, 20, 0]], False, "look at these images, then train longer"),
        ([[100, 0, 0], [0, 100, 0], [19, 19, 0]], True, "more images of them"),
        ([[100, 0, 0], [0, 100, 0], [20, 20, 0]], True, "look at these images, then train longer"),
    ],
)
def test_a_class_that_is_never_said_is_small_below_half_an_even_share(counts, balanced, remedy):
    weights = {"class_weights": "balanced"} if balanced else {}
    found = said(record_of(**HEALTHY, **weights), table_of(counts, confidence=0.9))["never-predicted"]
    assert found.text.endswith(f"try {remedy}")
    assert found.evidence == {"classes": 1, "of_classes": 3, "images": sum(counts[2])}


@pytest.mark.parametrize(
    ("confidence", "code"),
    [(0.871, "over-confident"), (0.869, None), (0.771, None), (0.769, "under-confident")],
)
def test_confidence_is_misjudged_from_five_points_on(confidence, code):
    found = said(record_of(**HEALTHY), table_of(even(10, 82, 2), confidence=confidence))
    assert set(found) == ({code} if code else set())
    if code:
        assert found[code].evidence == {
            "confidence": pytest.approx(confidence),
            "accuracy": pytest.approx(0.82),
            "calibration_error": pytest.approx(abs(confidence - 0.82), abs=1e-6),
        }


def test_confidence_of_a_few_images_and_of_a_model_that_guesses_is_not_judged():
    few = [[8, 2], [2, 8]]  # 20 images, 80 % right: chance makes 17.9 points
    assert said(record_of(**HEALTHY), table_of(few, confidence=0.975)) == {}
    assert set(said(record_of(**HEALTHY), table_of(few, confidence=0.985))) == {"over-confident"}
    guessed = even(2, 119, 81)  # 59.5 %, where the largest class has half
    assert said(record_of(**HEALTHY), table_of(guessed, confidence=0.99)) == {}
    assert said(record_of(**HEALTHY), table_of(even(2, 120, 80), confidence=0.99)) == {}
    assert set(said(record_of(**HEALTHY), table_of(even(2, 121, 79), confidence=0.99))) == {"over-confident"}


def test_a_swing_in_the_second_of_two_epochs_may_be_a_course_and_is_not_said():
    swings = {(fold, 2): (0.7, 0.85) for fold in range(5)}
    assert "unstable" not in said(record_of([0.5, 0.4], [0.4, 0.4], swing=swings.items()))


def test_of_several_pairs_that_are_mixed_up_the_first_is_the_one_that_exchanges_most():
    counts = np.diag([100] * 12)
    for (one, other), moved in {(0, 1): 20, (2, 3): 40, (4, 5): 30, (6, 7): 25}.items():
        counts[one, other], counts[one, one] = moved, 100 - moved
    found = said(record_of(**HEALTHY), table_of(counts, confidence=0.9))["confused"]
    assert (found.evidence["first"], found.evidence["second"], found.evidence["pairs"]) == ("2", "3", 4)
    assert (found.evidence["first_as_second"], found.evidence["second_as_first"]) == (40, 0)
    named = [found.text.index(f"'{one}' and '{one + 1}'") for one in (2, 4, 6)]
    assert named == sorted(named)
    assert "'0' and '1'" not in found.text
    assert "; 1 pairs more" in found.text


def test_a_loss_of_nothing_at_all_is_no_slow_one():
    assert "rate-too-low" not in said(record_of([0.0] * 4, [0.1] * 4, train_accuracy=1.0, val_accuracy=0.99))


@pytest.mark.parametrize(("ends", "said_so"), [((0.3, 0.5), True), ((0.5, 0.3), False)])
def test_a_best_epoch_is_the_first_where_the_mean_ends_above_it(ends, said_so):
    """Three folds are best at first; two bring the mean of the third or of the last epoch below that of the first."""
    others = {
        (fold, epoch): (loss, 0.94) for fold in (3, 4) for epoch, loss in zip((2, 3, 4), (0.4, *ends), strict=True)
    }
    found = said(record_of([0.5, 0.4, 0.35, 0.3], [0.5, 0.6, 0.6, 0.6], swing=others.items()))
    assert ("best-epoch-first" in found) == said_so


def test_a_validation_loss_that_jumps_and_stays_is_no_swing():
    stays = {(fold, epoch): (0.7, 0.85) for fold in range(5) for epoch in (3, 4, 5)}
    assert "unstable" not in said(record_of(**HEALTHY, swing=stays.items()))
    back = {(fold, epoch): (0.7, 0.85) for fold in range(5) for epoch in (3,)}
    assert "unstable" in said(record_of(**HEALTHY, swing=back.items()))
    half = {(fold, epoch): loss for fold in range(5) for epoch, loss in ((3, (0.7, 0.85)), (4, (0.5599, 0.9)))}
    assert "unstable" in said(record_of(**HEALTHY, swing=half.items()))  # below the middle of 0.42 and 0.7
    more = {(fold, epoch): loss for fold in range(5) for epoch, loss in ((3, (0.7, 0.85)), (4, (0.5601, 0.9)))}
    assert "unstable" not in said(record_of(**HEALTHY, swing=more.items()))


@pytest.mark.parametrize(("share", "said_so"), [(0.91, True), (0.89, False)])
def test_knowing_the_shares_of_classes_is_the_entropy_of_them(share, said_so):
    table = table_of([[95, 0], [5, 0]], confidence=0.95)
    entropy = -(0.95 * math.log(0.95) + 0.05 * math.log(0.05))
    curves = [entropy, share * entropy, share * entropy]
    found = said(record_of(curves, curves, train_accuracy=0.95, val_accuracy=0.95), table)
    assert ("nothing-learned" in found) == said_so
    balanced = record_of(curves, curves, train_accuracy=0.95, val_accuracy=0.95, class_weights="balanced")
    assert "nothing-learned" not in said(balanced, table)  # the loss is of equal shares, then: of guessing


def test_a_loss_that_begins_with_nothing_did_not_fall():
    assert "rate-too-low" not in said(record_of([0.0, 0.1, 0.2], [0.1] * 3, train_accuracy=1.0, val_accuracy=0.99))


def test_without_validation_a_slow_loss_is_still_seen():
    nothing = [math.nan] * 4
    found = said(record_of([2.4, 2.33, 2.27, 2.2], nothing, train_accuracy=0.25, val_accuracy=math.nan))
    assert set(found) == {"rate-too-low"}


def test_of_several_classes_that_are_never_said_the_largest_decides_whether_they_are_small():
    counts = [[100, 0, 0, 0], [0, 100, 0, 0], [5, 5, 0, 0], [40, 40, 0, 0]]
    found = said(record_of(**HEALTHY), table_of(counts, confidence=0.8))["never-predicted"]
    assert "'2', '3', of 90 predictions" in found.text
    assert found.text.endswith("look at these images, then train longer")


@pytest.mark.parametrize(
    ("record", "code", "evidence"),
    [
        (
            record_of([2.4, 2.33, 2.27, 2.2], [2.35, 2.3, 2.24, 2.18], train_accuracy=0.25, val_accuracy=0.24),
            "rate-too-low",
            {"train_loss_first": 2.4, "train_loss_last": 2.2, "fallen": 0.2 / 2.4, "lr": 0.001},
        ),
        (
            record_of([2.31, 2.3, 2.303, 2.302], [2.31, 2.3, 2.31, 2.3], train_accuracy=0.11, val_accuracy=0.1),
            "nothing-learned",
            {"train_loss": 2.302, "train_accuracy": 0.11, "chance_accuracy": 0.1},
        ),
        (
            record_of(**HEALTHY, swing={(1, 3): (0.7, 0.85), (4, 3): (0.75, 0.8), (4, 5): (0.6, 0.9)}.items()),
            "unstable",
            {
                "folds": 2,
                "of_folds": 5,
                "swings": 3,
                "epoch": 3,
                "val_loss_before": 0.42,
                "val_loss_after": 0.75,
                "val_accuracy_before": 0.94,
                "val_accuracy_after": 0.8,
            },
        ),
        (
            record_of([1.2, 0.5, 0.3], [1.1, 0.6, 0.4], swing={(0, 2): (0.3, 0.94)}.items()),
            "best-epoch-last",
            {"folds": 4, "of_folds": 5, "gain": 0.14 / 0.54, "epochs": 3},
        ),
    ],
    ids=["rate-too-low", "nothing-learned", "unstable", "best-epoch-last"],
)
def test_the_evidence_is_every_figure_that_the_rule_looked_at(record, code, evidence):
    found = {one.code: one for one in diagnose(record, None)}
    assert found[code].evidence == pytest.approx(evidence)


def test_folds_that_have_come_to_different_epochs_are_judged_by_those_that_all_have_and_finished_ones_before_others():
    whole = record_of(**HEALTHY)
    cut = {place: curve[: 5 - place[1] % 3] for place, curve in whole.epochs.items()}
    begun = gather(replace(whole, finished={}, epochs=cut), None)
    assert (begun.epochs, begun.folds) == (3, 5)
    assert begun.mean("train_loss").tolist() == pytest.approx(HEALTHY["train_loss"][:3])
    done = gather(replace(whole, finished={(0, 0): whole.finished[0, 0]}, epochs=cut), None)
    assert (done.epochs, done.folds) == (5, 1)
    assert gather(replace(whole, finished={}, epochs={}), None).epochs == 0
    assert not gather(replace(whole, finished={}, epochs={}), None).validated
