"""Whether a fold disagrees, against the test written out anew and against folds whose faults are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from foldproof.analysis.compare import compare
from foldproof.analysis.lines import DISAGREES
from foldproof.analysis.statistics.homogeneity import FoldCurve, compare_curves
from foldproof.analysis.verdict import BETTER
from foldproof.events.fold_id import FoldId
from tabled import alike, candidate, drawn, folds_of, table


def written_out(accuracies, units):
    """The two-sided p of each fold, from accuracies [fold, epoch] of one repeat, number by number."""
    folds, epochs = len(accuracies), len(accuracies[0][-3:])
    last = [list(one[-3:]) for one in accuracies]
    of_fold = [sum(one) / epochs for one in last]
    of_epoch = [sum(one[epoch] for one in last) / folds for epoch in range(epochs)]
    grand = sum(of_fold) / folds
    squares = sum(
        (last[fold][epoch] - of_fold[fold] - of_epoch[epoch] + grand) ** 2
        for fold in range(folds)
        for epoch in range(epochs)
    )
    df = (folds - 1) * (epochs - 1)
    found = []
    for fold in range(folds):
        rest = [other for other in range(folds) if other != fold]
        images = sum(units[other] for other in rest)
        others = sum(of_fold[other] * units[other] for other in rest) / images
        share = (sum(of_fold[one] * units[one] for one in range(folds)) + 1) / (sum(units) + 2)
        p_q = share * (1 - share)
        more = 1 + 1 / len(rest)
        swing = more * (4 * 0.002 * p_q + squares) / (4 + df) / epochs
        variance = p_q / units[fold] + p_q / images + more * 0.0003 * p_q + swing
        t = (of_fold[fold] - others) / math.sqrt(variance)
        found.append(2 * stats.t.sf(abs(t), (4 + df) * (variance / swing) ** 2))
        if epochs == 1 and len(rest) > 2:
            spread = more * np.var([of_fold[other] for other in rest], ddof=1)
            if spread > variance:
                found[-1] = 2 * stats.t.sf(abs(of_fold[fold] - others) / math.sqrt(spread), len(rest) - 1)
    return found


def curves(accuracies, units, repeat=0):
    return {
        FoldId(repeat, fold): FoldCurve(tuple(one), size)
        for fold, (one, size) in enumerate(zip(accuracies, units, strict=True))
    }


@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("units", [(40, 40, 40, 40, 40), (3000, 900, 50, 1200), (20, 25)])
def test_folds_are_held_apart_as_the_test_is_written_out(units, epochs):
    rng = np.random.default_rng(epochs)
    accuracies = 0.7 + 0.05 * rng.standard_normal((len(units), epochs))
    found, expected = compare_curves(curves(accuracies, units)), written_out(accuracies.tolist(), units)
    assert found.p == pytest.approx(min(min(expected) * len(units), 1.0))
    assert found.fold_id == (0, int(np.argmin(expected)))
    assert found.epochs == min(epochs, 3)
    assert found.score == pytest.approx(accuracies[found.fold_id[1], -3:].mean())


def test_repeats_lend_each_other_their_swings_and_are_adjusted_for_together():
    calm, wild = np.full((5, 4), 0.8), np.full((5, 4), 0.8)
    calm[2] -= 0.12
    wild += 0.1 * np.random.default_rng(1).standard_normal(wild.shape)
    alone = compare_curves(curves(calm, (400,) * 5))
    twice = compare_curves(curves(calm, (400,) * 5) | curves(np.full((5, 4), 0.8), (400,) * 5, 1))
    beside_wild = compare_curves(curves(calm, (400,) * 5) | curves(wild, (400,) * 5, 1))
    assert alone.fold_id == twice.fold_id == (0, 2)
    assert alone.p < DISAGREES
    assert alone.p < twice.p < 2.5 * alone.p
    assert beside_wild.p > 10 * twice.p


def healthy(rng, images, epochs, *, accuracy=0.95, lasting=0.005, swing=0.005, folds=5):
    """Trainings with nothing wrong: each is a little better or worse than the others, and moves from epoch to epoch."""
    level = accuracy + lasting * rng.standard_normal((folds, 1))
    seen = rng.binomial(images, np.clip(level, 0, 1)) / images
    return seen + swing * rng.standard_normal((folds, epochs))


def flagged(found):
    return found is not None and found.p < DISAGREES and found.matters


@pytest.mark.parametrize("images", [200, 1000, 2000, 10_000])
@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_two_trainings_that_differ_by_half_a_point_are_healthy_however_many_images_there_are(images, epochs):
    rng = np.random.default_rng(images + epochs)
    alarms = sum(flagged(compare_curves(curves(healthy(rng, images, epochs), (images,) * 5))) for _ in range(200))
    assert alarms <= 4


def test_one_bad_last_epoch_is_a_swing_and_not_a_fold_that_disagrees():
    accuracies = healthy(np.random.default_rng(3), 1000, 5)
    accuracies[4, -1] -= 0.2
    assert not flagged(compare_curves(curves(accuracies, (1000,) * 5)))
    accuracies[4] -= 0.2
    assert flagged(compare_curves(curves(accuracies, (1000,) * 5)))


@pytest.mark.parametrize("epochs", [2, 5])
def test_a_fold_that_costs_five_points_is_found_among_two_thousand_images_a_fold(epochs):
    rng = np.random.default_rng(epochs)
    found = 0
    for _ in range(100):
        accuracies = healthy(rng, 2000, epochs)
        accuracies[1] -= 0.05
        one = compare_curves(curves(accuracies, (2000,) * 5))
        found += flagged(one) and one.fold_id == (0, 1)
    assert found >= 90


def test_a_gap_of_less_than_two_points_is_nothing_to_look_at():
    accuracies = np.full((5, 5), 0.999)
    accuracies[1] -= 0.019
    found = compare_curves(curves(accuracies, (100_000,) * 5))
    assert found.p < DISAGREES
    assert not found.matters
    accuracies[1] -= 0.002
    assert compare_curves(curves(accuracies, (100_000,) * 5)).matters


@pytest.mark.slow
def test_a_winner_by_ten_points_is_named_whatever_its_folds_do():
    folds = folds_of(50_000)
    right = drawn(0.85, 50_000)
    better = alike(right, better_by=0.10, discordance=0.12, seed=1)
    better[0, np.flatnonzero(folds[0] == 2)[:900]] = False
    found = compare([candidate("Worse", table(right, folds)), candidate("Better", table(better, folds))])
    assert found.lines[1].disagreement.flagged
    assert (found.verdict.word, found.verdict.winner) == (BETTER, 1)
    assert any(note.startswith("not trustworthy yet: fold 2 of Better lies") for note in found.verdict.notes)


def test_a_run_is_held_against_its_curves_and_not_only_its_last_epoch():
    folds = folds_of(2000)
    right = drawn(0.8, 2000)
    right[0, np.flatnonzero(folds[0] == 3)[:160]] = False
    plain = candidate("A", table(right, folds))
    last = compare([plain]).lines[0].folds
    steady = replace(plain.summary, curves={place: (value,) * 3 for place, value in last.items()})
    swung = replace(plain.summary, curves={place: (0.8, 0.8, value) for place, value in last.items()})
    found = [compare([replace(plain, summary=one)]).lines[0].disagreement for one in (steady, swung)]
    assert [one.flagged for one in found] == [True, False]
    assert found[0].epochs == 3
