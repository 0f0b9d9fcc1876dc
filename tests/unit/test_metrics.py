"""Metrics against their definitions and scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from foldproof import metrics

RANDOM = np.random.default_rng(5)
LABELS = np.concatenate([np.zeros(60), np.ones(25), np.full(15, 2)]).astype(np.int64)
RAW = RANDOM.random((100, 4)) + np.eye(4)[LABELS] * 0.5
PROBABILITIES = RAW / RAW.sum(axis=1, keepdims=True)
PREDICTED = PROBABILITIES.argmax(axis=1)


def test_accuracy_is_scikit_learns():
    assert metrics.accuracy(PROBABILITIES, LABELS) == pytest.approx(oracle.accuracy_score(LABELS, PREDICTED))


def test_macro_f1_is_scikit_learns():
    assert metrics.macro_f1(PROBABILITIES, LABELS) == pytest.approx(
        oracle.f1_score(LABELS, PREDICTED, average="macro", labels=sorted({*LABELS, *PREDICTED}), zero_division=0)
    )


def test_log_loss_is_scikit_learns():
    assert metrics.log_loss(PROBABILITIES, LABELS) == pytest.approx(
        oracle.log_loss(LABELS, PROBABILITIES, labels=[0, 1, 2, 3])
    )


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur():
    recalls = [np.mean(PREDICTED[number == LABELS] == number) for number in range(3)]
    assert metrics.balanced_accuracy(PROBABILITIES, LABELS) == pytest.approx(np.mean(recalls))


def test_recall_of_a_class_without_images_is_not_known():
    assert math.isnan(metrics.recall_by_class(PROBABILITIES, LABELS)[3])


def test_a_certain_mistake_has_a_finite_log_loss():
    assert 80 < metrics.log_loss(np.array([[1.0, 0.0]]), np.array([1])) < 90


def test_a_majority_guesser_has_high_accuracy_and_poor_balanced_accuracy():
    guess = np.tile([1.0, 0.0, 0.0, 0.0], (100, 1))
    assert metrics.accuracy(guess, LABELS) == pytest.approx(0.6)
    assert metrics.balanced_accuracy(guess, LABELS) == pytest.approx(1 / 3)
