"""What every registered metric promises, so that one more needs nothing beside its function and its line."""

import math

import numpy as np
import pytest

from foldproof import registry
from foldproof.analysis.compare import compare
from tabled import alike, candidate, drawn, folds_of, table

LABELS = np.array([0, 0, 1, 2, 2, 1])
RAW = np.random.default_rng(1).random((6, 3))
PROBABILITIES = RAW / RAW.sum(axis=1, keepdims=True)

every_metric = pytest.mark.parametrize("metric", [registry.load("metrics", n) for n in registry.names("metrics")])


@every_metric
def test_it_is_a_float_that_does_not_depend_on_the_order_of_images(metric):
    value = metric(PROBABILITIES, LABELS)
    turned = np.array([3, 1, 5, 0, 2, 4])
    assert type(value) is float
    assert math.isfinite(value)
    assert metric(PROBABILITIES[turned], LABELS[turned]) == pytest.approx(value)


@every_metric
def test_it_does_not_depend_on_how_classes_are_numbered(metric):
    renumbered = np.array([2, 0, 1])
    moved = np.empty_like(PROBABILITIES)
    moved[:, renumbered] = PROBABILITIES
    assert metric(moved, renumbered[LABELS]) == pytest.approx(metric(PROBABILITIES, LABELS))


@every_metric
def test_no_images_give_no_number(metric):
    assert math.isnan(metric(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)))


@every_metric
def test_float32_and_float64_agree(metric):
    assert metric(PROBABILITIES.astype(np.float32), LABELS) == pytest.approx(metric(PROBABILITIES, LABELS), rel=1e-5)


@every_metric
def test_it_says_which_direction_is_better_and_the_right_answer_is(metric):
    right, wrong = np.eye(3)[LABELS], np.eye(3)[(LABELS + 1) % 3]
    assert type(metric.higher_is_better) is bool
    assert (metric(right, LABELS) > metric(wrong, LABELS)) == metric.higher_is_better


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_runs_are_compared_by_it_and_the_better_one_is_named(name):
    folds, right = folds_of(600), drawn(0.6, 600)
    better = alike(right, better_by=0.3, discordance=0.32, seed=1)
    found = compare([candidate("Worse", table(right, folds)), candidate("Better", table(better, folds))], metric=name)
    assert found.metric == name
    assert found.verdict is not None
    assert found.verdict.winner == 1


@every_metric
def test_it_changes_none_of_its_inputs(metric):
    probabilities, labels = PROBABILITIES.copy(), LABELS.copy()
    metric(probabilities, labels)
    assert np.array_equal(probabilities, PROBABILITIES)
    assert np.array_equal(labels, LABELS)
