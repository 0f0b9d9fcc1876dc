"""Tests of a difference between two experiments, against other people's implementations."""

import math
import warnings

import numpy as np
import pytest

from foldproof.analysis.pairing import Common, discordant, find_common
from foldproof.analysis.rows import rows_of
from foldproof.analysis.statistics.optimism import optimism_of_best
from foldproof.analysis.statistics.paired import both_ways, corrected, estimate_by_images, estimate_by_runs, holm
from foldproof.analysis.statistics.sample_size import images_by_scale, images_for_accuracy
from foldproof.analysis.statistics.student import Student
from tabled import alike, drawn, folds_of, table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import baycomp
    from statsmodels.stats import multitest


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("k", "repeats"), [(5, 1), (10, 3), (2, 1), (20, 1)])
def test_the_corrected_t_is_baycomps_correlated_t(seed, k, repeats):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.8, 0.03, (2, k * repeats))
    mine = corrected(a - b, k=k)
    a_is_better, equal, b_is_better = baycomp.CorrelatedTTest.probs(a, b, rope=0.01, runs=repeats)
    assert mine.above(0.01) == pytest.approx(a_is_better, abs=1e-9)
    assert mine.below(-0.01) == pytest.approx(b_is_better, abs=1e-9)
    assert 1 - mine.above(0.01) - mine.below(-0.01) == pytest.approx(equal, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_holm_is_that_of_statsmodels(seed):
    p = np.random.default_rng(seed).beta(0.4, 1, size=11)
    assert holm(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])


def test_holm_leaves_out_what_is_not_known():
    adjusted = holm(np.array([0.01, math.nan, 0.02]))
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.02])
    assert math.isnan(adjusted[1])


def pair(images: int = 500, repeats: int = 1, seed: int = 0) -> Common:
    folds = folds_of(images, repeats=repeats, seed=seed)
    right = drawn(0.8, images, repeats=repeats, seed=seed)
    found = find_common(table(right, folds), table(alike(right, better_by=0.02, discordance=0.2, seed=seed), folds))
    assert isinstance(found, Common)
    return found


def test_mcnemars_table_and_a_standard_error_over_images_agree():
    found = pair(images=2000)
    only_a, only_b = discordant(found)
    n = len(found.a)
    # The variance of a mean of values in {-1, 0, 1}, as the asymptotic McNemar test has it under no difference.
    expected = math.sqrt(only_a + only_b - (only_a - only_b) ** 2 / n) / n
    assert estimate_by_images(rows_of(found, "accuracy")).scale == pytest.approx(expected, rel=0.01)


def test_over_one_partition_the_runs_speak_as_the_plain_t_does():
    found = pair()
    differences = np.array(
        [
            (found.a.predicted == found.a.labels)[found.a.folds == f].mean()
            - (found.b.predicted == found.b.labels)[found.b.folds == f].mean()
            for f in range(5)
        ]
    )
    runs = estimate_by_runs(rows_of(found, "accuracy"))
    assert runs.location == pytest.approx(differences.mean())
    assert runs.scale == pytest.approx(differences.std(ddof=1) / math.sqrt(5), rel=1e-6)


def test_a_unit_that_comes_back_in_every_repeat_counts_once():
    once, thrice = pair(repeats=1), pair(repeats=3)
    same = Common(*(one.take(np.tile(np.arange(len(one)), 3)) for one in (once.a, once.b)), 0, 0)
    assert estimate_by_images(rows_of(same, "accuracy")).scale == pytest.approx(
        estimate_by_images(rows_of(once, "accuracy")).scale, rel=0.01
    )
    assert estimate_by_images(rows_of(thrice, "accuracy")).scale < estimate_by_images(rows_of(once, "accuracy")).scale


def test_groups_are_what_was_drawn_where_there_are_any():
    images = 400
    folds, right = folds_of(images), drawn(0.7, images)
    other = alike(right, better_by=0.0, discordance=0.3, seed=1)
    groups = [f"g{at // 8}" for at in range(images)]
    alone = find_common(table(right, folds), table(other, folds))
    grouped = find_common(table(right, folds, groups=groups), table(other, folds, groups=groups))
    assert estimate_by_images(rows_of(grouped, "accuracy")).df == 49
    assert estimate_by_images(rows_of(alone, "accuracy")).df == 399


def test_the_more_cautious_of_images_and_runs_is_taken():
    rows = rows_of(pair(), "accuracy")
    reading, p = both_ways(rows)
    assert reading.half_width == max(estimate_by_images(rows).half_width, estimate_by_runs(rows).half_width)
    assert p == max(estimate_by_images(rows).p, estimate_by_runs(rows).p)


def test_two_experiments_that_predict_the_same_do_not_differ():
    folds, right = folds_of(1000), drawn(0.8, 1000)
    found = find_common(table(right, folds), table(right, folds))
    reading, p = both_ways(rows_of(found, "accuracy"))
    assert reading.location == 0
    assert p == 1
    assert reading.above(0.01) + reading.below(-0.01) < 0.05


def test_one_that_is_always_right_is_not_proved_better_by_a_handful_of_images():
    folds = folds_of(4, k=2)
    found = find_common(table(np.ones((1, 4), bool), folds), table(np.zeros((1, 4), bool), folds))
    assert both_ways(rows_of(found, "accuracy"))[1] > 0.001


@pytest.mark.parametrize(("k", "rare"), [(2, 2), (2, 4), (5, 5)])
def test_a_handful_of_images_of_a_rare_class_prove_nothing_about_balanced_accuracy(k, rare):
    images = 400
    labels = np.concatenate([np.arange(images) % 2, np.full(rare, 2)])
    folds = np.concatenate([np.arange(images) // 2 % k, np.arange(rare) % k])[None]
    others = drawn(0.8, images)
    some = [
        table(np.concatenate([others, np.full((1, rare), right)], axis=1), folds, classes="abc", labels=labels)
        for right in (True, False)
    ]
    reading, p = both_ways(rows_of(find_common(*some), "balanced_accuracy"))
    assert reading.location == pytest.approx(1 / 3)
    assert p > 0.004


@pytest.mark.parametrize("better", range(1, 12))
def test_images_that_all_speak_for_one_experiment_prove_as_little_as_in_mcnemars_exact_test(better):
    images = 400
    folds, right = folds_of(images), drawn(0.8, images)
    wrong = np.flatnonzero(~right[0])[:better]
    other = right.copy()
    other[0, wrong] = True
    rows = rows_of(find_common(table(other, folds), table(right, folds)), "accuracy")
    exact = min(2 * 0.5**better, 1.0)
    assert (estimate_by_images(rows).p < 0.05) == (exact < 0.05)


def test_groups_that_only_one_run_knows_count_for_both():
    images = 200
    folds, right = folds_of(images), drawn(0.7, images)
    other = alike(right, better_by=0.0, discordance=0.3, seed=1)
    groups = [f"g{at // 10}" for at in range(images)]
    with_groups, without = table(right, folds, groups=groups), table(other, folds)
    there = estimate_by_images(rows_of(find_common(with_groups, without), "accuracy"))
    back = estimate_by_images(rows_of(find_common(without, with_groups), "accuracy"))
    assert (there.scale, there.df) == pytest.approx((back.scale, back.df))
    assert there.df == 19


@pytest.mark.parametrize("values", [[], [0.02], [0.02, 0.02, 0.02]])
def test_no_spread_and_too_few_folds_are_no_evidence(values):
    reading = corrected(np.array(values), k=5)
    assert not reading.known
    assert reading.p == 1
    assert reading.half_width == math.inf


def test_folds_that_never_differ_say_nothing_of_chance():
    found = corrected(np.zeros(5), k=5)
    assert not found.known
    assert (found.p, found.half_width) == (1.0, math.inf)


def test_a_point_at_a_fifth_discordant_needs_15_700_images():
    assert images_for_accuracy(0.01, discordance=0.2) == pytest.approx(15_700, rel=0.01)


@pytest.mark.parametrize(("difference", "discordance"), [(0.0, 0.2), (0.01, 0.0), (math.nan, 0.2), (0.01, math.nan)])
def test_no_number_of_images_is_made_up(difference, discordance):
    assert images_for_accuracy(difference, discordance=discordance) is None


def test_images_by_scale_is_images_for_accuracy_where_both_apply():
    by_scale = images_by_scale(0.01, images=1000, scale=math.sqrt(0.2 / 1000))
    assert by_scale == pytest.approx(images_for_accuracy(0.01, discordance=0.2), rel=0.001)


def test_the_detectable_difference_is_found_in_eight_of_ten_repetitions():
    student = Student(0.0, 0.02, 30)
    rng = np.random.default_rng(0)
    chi = np.sqrt(rng.chisquare(30, 40_000) / 30)
    shifted = student.detectable / 0.02 + rng.standard_normal(40_000)
    assert np.mean(np.abs(shifted / chi) > 2.0423) == pytest.approx(0.80, abs=0.01)


def test_the_best_of_many_equals_flatters_and_a_clear_winner_hardly():
    rng = np.random.default_rng(3)
    equal = 0.5 + rng.normal(0, 0.03, (8, 5))
    clear = equal + np.array([0.5] + [0.0] * 7)[:, None]
    assert optimism_of_best(equal, k=5) > 0.01
    assert abs(optimism_of_best(clear, k=5)) < 0.003
    assert optimism_of_best(equal[:1], k=5) == 0
