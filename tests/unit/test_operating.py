"""Confusion, ROC, precision-recall and calibration, with scikit-learn as the oracle."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from foldproof.analysis.confusion import confusion_of
from foldproof.analysis.operating import auroc, average_precision, macro, one_against_rest, precision_recall, roc
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.reliability import BINS, reliability_of
from foldproof.analysis.report.spelling import pick_evenly


def table(labels, probabilities, *, folds=None) -> OutOfFold:
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, dtype=np.float32)
    count = len(labels)
    return OutOfFold(
        classes=tuple(f"class {c}" for c in range(probabilities.shape[1])),
        paths=np.array([f"{n}.png" for n in range(count)]),
        sha256=np.array([f"{n:064x}" for n in range(count)]),
        groups=np.array([""] * count),
        labels=labels,
        repeats=np.zeros(count, dtype=np.int64),
        folds=np.arange(count) % 3 if folds is None else np.asarray(folds),
        probabilities=probabilities,
    )


def random_table(seed: int, *, images: int = 200, classes: int = 4, steps: int = 12) -> OutOfFold:
    """Probabilities with many ties."""
    random = np.random.default_rng(seed)
    rows = random.integers(1, steps, (images, classes)).astype(float)
    labels = random.integers(0, classes, images)
    rows[np.arange(images), labels] += random.integers(0, steps, images)
    return table(labels, rows / rows.sum(axis=1, keepdims=True))


scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


@pytest.mark.slow
@settings(deadline=None)
@given(scored)
def test_areas_and_curves_are_those_of_scikit_learn_ties_and_all(rows):
    scores = np.array([score / 7 for score, _ in rows])
    positive = np.array([one for _, one in rows])
    assert auroc(scores, positive) == pytest.approx(oracle.roc_auc_score(positive, scores))
    assert average_precision(scores, positive) == pytest.approx(oracle.average_precision_score(positive, scores))
    curve = roc(scores, positive)
    fpr, tpr, _ = oracle.roc_curve(positive, scores, drop_intermediate=False)
    assert curve.x == pytest.approx(fpr)
    assert curve.y == pytest.approx(tpr)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(auroc(scores, positive))
    precision, recall, _ = oracle.precision_recall_curve(positive, scores)
    own = precision_recall(scores, positive)
    assert own.x[1:] == pytest.approx(recall[:-1][::-1])
    assert own.y[1:] == pytest.approx(precision[:-1][::-1])


def test_the_area_is_taken_in_each_fold_and_averaged():
    some = random_table(1)
    found = one_against_rest(some, 2)
    each = [
        oracle.roc_auc_score(some.labels[some.folds == f] == 2, some.probabilities[some.folds == f, 2])
        for f in range(3)
    ]
    assert list(found.by_fold.values()) == pytest.approx(each)
    assert found.auroc.mean == pytest.approx(np.mean(each))


def test_a_fold_without_the_class_does_not_count():
    found = one_against_rest(
        table([0, 1, 0, 0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], folds=[0, 0, 1, 1]), 1
    )
    assert found.auroc.n == 1
    assert math.isnan(found.by_fold[0, 1])


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_of_one_kind_of_image_there_is_no_curve(labels):
    assert one_against_rest(table(labels, [[0.5, 0.5], [0.4, 0.6]]), 1) is None


def test_probabilities_that_are_no_numbers_give_no_curve_and_no_diagram():
    broken = table([0, 1], [[math.nan, 0.5], [0.4, 0.6]])
    assert one_against_rest(broken, 0) is None
    assert reliability_of(broken) is None


def test_the_macro_curve_of_equal_curves_is_that_curve():
    curve = one_against_rest(random_table(3), 1).roc
    mean = macro([curve, curve])
    assert np.interp(0.35, mean.x, mean.y) == pytest.approx(np.interp(0.35, curve.x, curve.y), abs=0.02)
    assert (np.diff(mean.y) >= 0).all()
    assert mean.y[-1] == 1


def test_thinning_keeps_the_ends():
    curve = one_against_rest(random_table(4, images=2000, steps=500), 0).roc
    thin = pick_evenly(list(zip(curve.x.tolist(), curve.y.tolist(), strict=True)), 50)
    assert len(thin) == 50
    assert (thin[0], thin[-1]) == ((0, 0), (1, 1))


def test_counts_and_scores_by_class_are_those_of_scikit_learn():
    some = random_table(5)
    found = confusion_of(some)
    assert (found.counts == oracle.confusion_matrix(some.labels, some.predicted, labels=range(4))).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        precision, recall, f1, images = oracle.precision_recall_fscore_support(some.labels, some.predicted)
    assert [one.precision for one in found.by_class] == pytest.approx(list(precision))
    assert [one.recall for one in found.by_class] == pytest.approx(list(recall))
    assert [one.f1 for one in found.by_class] == pytest.approx(list(f1))
    assert [one.images for one in found.by_class] == list(images)
    for number, one in enumerate(found.by_class):
        own = oracle.recall_score(some.labels != number, some.predicted != number)
        assert one.specificity == pytest.approx(own)


def test_a_class_without_images_or_predictions_has_scores_that_are_not_known():
    found = confusion_of(table([0, 1], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]))
    nothing = found.by_class[2]
    assert (nothing.images, nothing.predicted, nothing.specificity) == (0, 0, 1.0)
    assert all(math.isnan(value) for value in (nothing.recall, nothing.precision, nothing.f1))
    assert np.isnan(found.shares[2]).all()
    assert found.most_mixed(5) == ()


def test_the_most_mixed_pair_comes_first():
    found = confusion_of(table([0, 0, 0, 1], [[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]))
    first, second = found.most_mixed(5)
    assert (first.true, first.predicted, first.count, first.share) == (0, 1, 2, pytest.approx(2 / 3))
    assert second.count == 1


def test_the_calibration_error_is_the_weighted_distance_of_its_bins():
    some = random_table(6)
    found = reliability_of(some)
    confidence = some.probabilities.max(axis=1).astype(float)
    right = some.predicted == some.labels
    error = 0.0
    for low in np.arange(BINS) / BINS:
        inside = (confidence > low) & (confidence <= low + 1 / BINS)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert found.error == pytest.approx(error)
    assert sum(one.images for one in found.bins) == len(some)


def test_who_is_always_sure_and_half_the_time_right_is_off_by_half():
    found = reliability_of(table([0, 1], [[1.0, 0.0], [1.0, 0.0]]))
    assert (found.error, found.confidence, found.accuracy) == (0.5, 1.0, 0.5)


@pytest.mark.parametrize("number", range(4))
def test_a_class_against_the_rest_is_the_positive_one(number):
    some = random_table(9)
    positive, scores = some.labels == number, some.probabilities[:, number].astype(np.float64)
    found = one_against_rest(some, number)
    assert (found.name, found.images) == (some.classes[number], int(positive.sum()))
    assert found.average_precision == pytest.approx(oracle.average_precision_score(positive, scores))
    assert np.trapezoid(found.roc.y, found.roc.x) == pytest.approx(oracle.roc_auc_score(positive, scores))
    precision, recall, _ = oracle.precision_recall_curve(positive, scores)
    np.testing.assert_allclose(found.precision_recall.x[1:], recall[:-1][::-1])
    np.testing.assert_allclose(found.precision_recall.y[1:], precision[:-1][::-1])
    places = {(0, fold) for fold in set(some.folds.tolist())}
    assert set(found.by_fold) == places
