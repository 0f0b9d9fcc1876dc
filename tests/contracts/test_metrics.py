"""What every registered metric promises."""

import math

import numpy as np
import pytest

from foldproof import registry

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
def test_it_changes_none_of_its_inputs(metric):
    probabilities, labels = PROBABILITIES.copy(), LABELS.copy()
    metric(probabilities, labels)
    assert np.array_equal(probabilities, PROBABILITIES)
    assert np.array_equal(labels, LABELS)
