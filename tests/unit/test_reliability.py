"""Confidence against accuracy, counted by hand."""

import math

import numpy as np
import pytest

from foldproof.analysis.reliability import BINS, reliability_of
from tabled import folds_of, table


def said_with(confidences, right):
    """Two classes; each image is said to be of the right one, or of the other, so surely."""
    made = table(np.array([right], dtype=bool), folds_of(len(right), k=2))
    predicted = made.predicted
    probabilities = np.array(confidences, dtype=np.float32)[:, None] * np.eye(2, dtype=np.float32)[predicted]
    probabilities[np.arange(len(right)), 1 - predicted] = 1 - np.array(confidences, dtype=np.float32)
    made.probabilities[:] = probabilities
    return made


def test_a_prediction_is_in_the_bin_whose_upper_edge_it_reaches():
    found = reliability_of(said_with([0.6, 0.61, 0.65, 1.0], [True, False, True, True]))
    counts = {number: one.images for number, one in enumerate(found.bins) if one.images}
    assert len(found.bins) == BINS == 15
    assert counts == {9: 3, 14: 1} or counts == {8: 1, 9: 2, 14: 1}  # 0.6 in float32 is a little more, or less
    assert (found.bins[9].low, found.bins[9].high) == pytest.approx((9 / 15, 10 / 15))
    assert found.bins[14].accuracy == 1
    assert math.isnan(found.bins[0].accuracy)


def test_the_error_is_the_mean_over_images_of_how_far_accuracy_is_from_confidence():
    confidences = [0.62, 0.64, 0.65, 0.9, 0.91, 0.92]
    right = [True, False, False, True, True, True]
    found = reliability_of(said_with(confidences, right))
    low, high = abs(1 / 3 - np.mean(confidences[:3])), abs(1 - np.mean(confidences[3:]))
    assert found.error == pytest.approx((3 * low + 3 * high) / 6, rel=1e-6)
    assert found.confidence == pytest.approx(np.mean(confidences), rel=1e-6)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.bins[9].confidence == pytest.approx(np.mean(confidences[:3]), rel=1e-6)


def test_a_probability_that_rounding_made_more_than_one_is_in_the_last_bin():
    made = said_with([0.9, 0.8], [True, True])
    made.probabilities[0, made.predicted[0]] = np.nextafter(np.float32(1), np.float32(2))
    found = reliability_of(made)
    assert len(found.bins) == 15
    assert found.bins[14].images == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_without_images_or_numbers_nothing_is_said(bad):
    made = said_with([0.9, 0.8], [True, True])
    assert reliability_of(made.take(np.zeros(0, dtype=np.int64))) is None
    made.probabilities[1, 0] = bad
    assert reliability_of(made) is None
