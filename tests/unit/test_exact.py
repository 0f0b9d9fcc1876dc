"""Where nothing differs, nothing is certain: intervals are never of no width, equal scores of folds are no proof."""

import math

import numpy as np
import pytest
from scipy import stats

from foldproof.analysis.compare import compare
from foldproof.analysis.statistics.exact import all_agree_interval
from foldproof.analysis.statistics.paired import corrected
from foldproof.analysis.verdict import PRACTICALLY_EQUAL
from tabled import contender, table


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


@pytest.mark.parametrize("right", [True, False])
def test_twenty_of_twenty_leave_doubt(right):
    folds = np.arange(20)[None] % 5
    interval = compare([contender("A", table(np.full((1, 20), right), folds))]).lines[0].interval
    least = 0.025 ** (1 / 20)
    assert (interval.low, interval.high) == pytest.approx((least, 1) if right else (0, 1 - least))


def test_two_folds_with_equal_scores_are_neither_certain_nor_equal():
    scores = {(0, 0): 0.8, (0, 1): 0.8}
    found = compare([contender(name, None, scores=scores, k=2) for name in ("A", "B")])
    assert found.verdict.word != PRACTICALLY_EQUAL
    assert all(math.isnan(line.interval.low) for line in found.lines)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("images", [10, 20, 300])
def test_no_interval_has_no_width(share, images):
    folds = np.arange(images)[None] % 5
    right = (np.random.default_rng(images).permutation(images) < round(share * images))[None]
    interval = compare([contender("A", table(right, folds))]).lines[0].interval
    assert math.isnan(interval.low) or interval.low < interval.high
