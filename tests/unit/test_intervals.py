"""The interval of a score: against statsmodels' Wilson interval, the test written out anew, and what is impossible."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from foldproof.analysis.compare import compare
from foldproof.analysis.statistics.paired import corrected
from foldproof.analysis.statistics.shares import all_agree_interval, wilson_interval
from foldproof.analysis.verdict import PRACTICALLY_EQUAL
from foldproof.events.fold_id import FoldId
from tabled import candidate, drawn, folds_of, table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.proportion import proportion_confint


@pytest.mark.parametrize("units", [1, 5, 20, 396, 10_000])
@pytest.mark.parametrize("share", [0, 1])
def test_the_interval_of_what_all_agree_on_is_clopper_and_pearsons(share, units):
    exact = stats.binomtest(share * units, units).proportion_ci(0.95, "exact")
    assert all_agree_interval(share, units) == pytest.approx((exact.low, exact.high))


def test_a_share_between_has_another_interval():
    with pytest.raises(ValueError, match="differ"):
        all_agree_interval(0.5, 10)


@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_folds_that_differ_by_exactly_the_same_say_nothing_of_chance(mean):
    found = corrected(np.full(5, mean), k=5)
    assert not found.known
    assert found.p == 1
    assert math.isnan(found.above(0.01))


@pytest.mark.parametrize("images", [1, 2, 20])
@pytest.mark.parametrize("right", [True, False])
def test_all_of_a_few_leave_doubt(right, images):
    folds = np.arange(images)[None] % 5
    of = table(np.full((1, images), right), folds)
    interval = compare([candidate("A", of)], metric="accuracy").lines[0].interval
    least = 0.025 ** (1 / images)
    assert (interval.low, interval.high) == pytest.approx((least, 1) if right else (0, 1 - least))


def test_two_folds_with_equal_scores_are_neither_certain_nor_equal():
    scores = {FoldId(0, 0): 0.8, FoldId(0, 1): 0.8}
    found = compare([candidate(name, None, scores=scores, k=2) for name in ("A", "B")])
    assert found.verdict.word != PRACTICALLY_EQUAL
    assert all(math.isnan(line.interval.low) for line in found.lines)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("images", [10, 20, 300])
def test_no_interval_has_no_width(share, images):
    folds = np.arange(images)[None] % 5
    right = (np.random.default_rng(images).permutation(images) < round(share * images))[None]
    interval = compare([candidate("A", table(right, folds))]).lines[0].interval
    assert math.isnan(interval.low) or interval.low < interval.high


@pytest.mark.parametrize("units", [7, 40, 3000])
@pytest.mark.parametrize("right", [0.0, 0.1, 0.5, 1.0])
def test_the_interval_of_wilson_is_that_of_statsmodels(units, right):
    theirs = proportion_confint(round(right * units), units, method="wilson")
    assert wilson_interval(round(right * units) / units, units, stats.norm.ppf(0.975)) == pytest.approx(theirs)


def wilson(share, units, quantile):
    """The two shares that lie `quantile` standard errors of their own from the one seen."""

    def beyond(p):
        return abs(share - p) - quantile * math.sqrt(p * (1 - p) / units)

    return [optimize.brentq(beyond, *bracket) for bracket in ((1e-12, share), (share, 1 - 1e-12))]


def interval(of, metric="accuracy"):
    found = compare([candidate("A", of)], metric=metric).lines[0].interval
    return found.low, found.high


@pytest.mark.parametrize("share", [0.3, 0.8, 0.95])
@pytest.mark.parametrize("images", [100, 2000])
def test_images_that_are_drawn_one_by_one_count_for_seven_tenths_of_themselves(images, share):
    """An error 1.2 times that of the images is that of 1 / 1.2 ** 2 as many."""
    right = np.random.default_rng(images).permutation(images) < share * images
    of = table(right[None], spread_evenly(right))
    seen, never_quite = right.mean(), (right.sum() + 1) / (images + 2)
    units = never_quite * (1 - never_quite) / (1.2**2 * seen * (1 - seen) / images)
    assert interval(of) == pytest.approx(wilson(seen, units, stats.t(images - 1).ppf(0.975)), abs=1e-6)


def spread_evenly(right, k=5):
    """Folds that are equally often right, as near as can be.  # [1, image]"""
    folds = np.empty(len(right), dtype=np.int64)
    for value in (True, False):
        at = np.flatnonzero(right == value)
        folds[at] = np.arange(len(at)) % k
    return folds[None]


def test_folds_that_differ_more_than_their_images_explain_widen_the_interval():
    right = drawn(0.8, 2000)
    even = spread_evenly(right[0])
    apart = np.empty(2000, dtype=np.int64)
    apart[np.argsort(~right[0], kind="stable")] = np.arange(2000) * 5 // 2000  # the wrong ones in the last fold
    low, high = interval(table(right, even))
    wide_low, wide_high = interval(table(right, apart[None]))
    assert wide_high - wide_low > 3 * (high - low)


def test_images_of_one_patient_count_together():
    patients = np.arange(1000) // 10
    of_patient = np.random.default_rng(2).random(100) < 0.8
    right, folds = of_patient[patients], spread_evenly(of_patient)[:, patients]
    together = table(right[None], folds, groups=[f"patient {at}" for at in patients], labels=patients % 2)
    alone = table(right[None], folds, labels=patients % 2)
    one, many = (np.subtract(*interval(of)[::-1]) for of in (together, alone))
    assert 2.5 < one / many < 4


def test_a_rare_class_of_five_right_ones_leaves_doubt_in_balanced_accuracy():
    labels = (np.arange(500) < 5).astype(np.int64)
    right = np.ones(500, dtype=bool)
    right[5:55] = False
    low, high = interval(table(right[None], (np.arange(500) % 5)[None], labels=labels), "balanced_accuracy")
    assert low < 0.87
    assert 0.95 < high < 1.0


def test_repeats_make_an_interval_narrower():
    rng = np.random.default_rng(5)
    of_image = 0.5 + 0.5 * rng.random(600)
    once, thrice = (rng.random((repeats, 600)) < of_image for repeats in (1, 3))
    one, three = (np.subtract(*interval(table(of, folds_of(600, repeats=len(of))))[::-1]) for of in (once, thrice))
    assert three < 0.85 * one


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5, 0.94, 0.999])
@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1"])
def test_no_interval_ends_at_what_the_data_exclude(share, metric):
    """298 wrong of 5,000 are not 100 %."""
    right = np.random.default_rng(3).random((1, 5000)) < share
    low, high = interval(table(right, folds_of(5000)), metric)
    score = compare([candidate("A", table(right, folds_of(5000)))], metric=metric).lines[0].score.mean
    assert 0 < low < score < high < 1


def test_eighteen_mistakes_in_396_photographs_are_told_within_seven_points():
    right = np.arange(396) >= 18
    low, high = interval(table(right[None], spread_evenly(right)))
    assert (low, high) == pytest.approx((0.923, 0.974), abs=0.003)


def test_a_loss_has_an_interval_above_nothing():
    right = np.random.default_rng(4).random((1, 40)) < 0.9
    low, high = interval(table(right, folds_of(40)), "log_loss")
    score = compare([candidate("A", table(right, folds_of(40)))], metric="log_loss").lines[0].score.mean
    assert 0 < low < score < high
    assert score / low == pytest.approx(high / score)


@pytest.mark.parametrize("counted", [True, False])
def test_scores_of_folds_alone_have_an_interval_within_what_can_be(counted):
    scores = {FoldId(0, 0): 0.99, FoldId(0, 1): 0.995, FoldId(0, 2): 1.0, FoldId(0, 3): 0.98, FoldId(0, 4): 0.999}
    one = candidate("A", None, scores=scores)
    if counted:
        one = replace(one, summary=replace(one.summary, images_by_fold=dict.fromkeys(scores, 200)))
    found = compare([one]).lines[0].interval
    assert 0.9 < found.low < found.value < found.high < 1


@pytest.mark.slow
@pytest.mark.parametrize("k", [5, 10])
@pytest.mark.parametrize("accuracy", [0.6, 0.95])
def test_about_95_of_100_intervals_hold_the_accuracy_of_folds_whose_trainings_differ(k, accuracy):
    rng = np.random.default_rng(k)
    held = 0
    for _ in range(200):
        level = accuracy + 0.01 * rng.standard_normal(k)
        folds = folds_of(400, k=k, seed=int(rng.integers(2**31)))
        right = rng.random((1, 400)) < level[folds]
        low, high = interval(table(right, folds))
        held += low <= level.mean() <= high
    assert 188 <= held <= 200
