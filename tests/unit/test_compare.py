"""Verdicts: what the numbers carry, and what they do not."""

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from foldproof.analysis.as_json import comparison_json
from foldproof.analysis.compare import compare
from foldproof.analysis.foreign.scores import FoldScore, candidates_of_scores
from foldproof.analysis.tables import csv_table, latex, markdown, pairs_table, telling_pairs
from foldproof.analysis.verdict import (
    ALONE,
    BETTER,
    CANNOT_TELL,
    NOT_COMPARABLE,
    NOT_TRUSTWORTHY,
    PRACTICALLY_EQUAL,
    PROBABLY_BETTER,
)
from foldproof.errors import UnknownName
from tabled import alike, candidate, drawn, folds_of, table

SEED = {  # the averages of a course's three experiments, one fold at 32 %
    "FirstRun": (50.49, 48.06, 51.70, 47.33, 49.52),
    "Run_5_Epochs": (51.46, 49.03, 32.04, 52.18, 48.69),
    "Run_High_LR": (52.91, 48.30, 50.73, 49.27, 49.64),
}


def seed_table(*, images: int | None):
    rows = [
        FoldScore(experiment=name, repeat=0, fold=fold, score=score, images=images)
        for name, scores in SEED.items()
        for fold, score in enumerate(scores)
    ]
    return compare(candidates_of_scores(rows, metric="accuracy"), unverified="same folds not verified")


@pytest.mark.parametrize("images", [None, 412, 200])
def test_the_course_gets_its_answer_look_at_the_fold_first_and_no_pair_can_be_told_apart(images):
    found = seed_table(images=images)
    assert [round(100 * line.score.mean, 2) for line in found.lines] == [49.42, 46.68, 50.17]
    assert found.verdict.word == NOT_TRUSTWORTHY
    assert "fold 2 of Run_5_Epochs" in found.verdict.text
    assert found.verdict.winner is None
    assert [pair.verdict.finding for pair in found.pairs] == [CANNOT_TELL] * 3
    assert all(any(CANNOT_TELL in said for said in (pair.verdict.text, *pair.verdict.notes)) for pair in found.pairs)
    assert found.can_be_best == (0, 1, 2)
    assert found.verdict.notes[-1] == "same folds not verified"
    assert not any("foldproof run" in note for note in found.verdict.notes)  # these runs are somebody else's


def two(images: int, *, better_by: float, discordance: float, repeats: int = 1, seed: int = 1):
    folds = folds_of(images, repeats=repeats, seed=seed)
    right = drawn(0.75, images, repeats=repeats, seed=seed)
    other = alike(right, better_by=better_by, discordance=discordance, seed=seed)
    return compare([candidate("A", table(other, folds)), candidate("B", table(right, folds))])


@pytest.mark.parametrize(("better_by", "word"), [(0.2, "better"), (-0.2, "worse")])
def test_the_word_beside_a_pair_is_of_its_first_as_its_difference_is(better_by, word):
    found = two(2000, better_by=better_by, discordance=0.3)
    (row,) = pairs_table(found, found.pairs)[1:]
    assert (row[1][0] in "-−", row[-1]) == (word == "worse", word)


@pytest.mark.parametrize("seed", range(5))
def test_a_true_difference_of_ten_points_on_2_000_images_is_named(seed):
    found = two(2000, better_by=0.10, discordance=0.3, seed=seed)
    assert found.pairs[0].verdict.finding == BETTER
    if found.verdict.word == NOT_TRUSTWORTHY:  # by chance, in one or two of a hundred
        assert seed == 4
        return
    assert found.verdict.word == BETTER
    assert found.verdict.winner == 0
    assert found.verdict.text.startswith("A is better: by ")
    assert found.can_be_best == (0,)
    assert "one partition" in found.verdict.notes


@pytest.mark.slow
def test_a_small_difference_that_many_images_carry_is_probably_better():
    found = two(10_000, better_by=0.009, discordance=0.05, repeats=3)
    assert found.verdict.word == PROBABLY_BETTER
    assert "above 0 with P" in found.verdict.text


@pytest.mark.slow
def test_experiments_that_hardly_differ_on_many_images_are_practically_equal():
    found = two(20_000, better_by=0.0, discordance=0.02, repeats=3)
    assert found.verdict.word == PRACTICALLY_EQUAL
    assert "within ±1.0 point" in found.verdict.text


def test_few_images_cannot_tell_and_say_how_many_would_and_what_is_cheapest():
    found = two(300, better_by=0.01, discordance=0.2)
    assert found.verdict.word == CANNOT_TELL
    needed = found.pairs[0].images_needed
    assert 8_000 < needed < 25_000
    assert "this design sees differences of about" in found.verdict.text
    assert "1.0 point needs at least" in found.verdict.text
    assert any("--repeats 3" in note or "more images" in note for note in found.verdict.notes)


def test_new_images_that_helped_are_said_to_have_on_the_images_in_common():
    old, new = 2000, 600
    folds = folds_of(old + new, seed=2)
    right = drawn(0.75, old, seed=2)
    improved = alike(right, better_by=0.05, discordance=0.12, seed=2)
    before = table(right, folds[:, :old])
    after = table(np.concatenate([improved, drawn(0.2, new, seed=3)], axis=1), folds)
    found = compare([candidate("More_Images", after), candidate("Before", before)])
    (pair,) = found.pairs
    assert found.verdict.word in (BETTER, PROBABLY_BETTER)
    assert found.verdict.winner == 0
    assert (pair.common_images, pair.only_in_a, pair.only_in_b) == (2000, 600, 0)
    assert pair.difference.value == pytest.approx(0.05, abs=0.015)
    assert "on the 2,000 images in common; 600 only in More_Images" in found.verdict.notes


def test_an_image_in_another_fold_makes_two_runs_not_comparable():
    folds, right = folds_of(100), drawn(0.8, 100)
    moved = folds.copy()
    moved[0, 7] = (moved[0, 7] + 1) % 5
    found = compare([candidate("A", table(right, folds)), candidate("B", table(right, moved))])
    assert found.verdict.word == NOT_COMPARABLE
    assert found.verdict.text == "not comparable: folds"
    assert found.pairs[0].verdict.text == "not comparable: folds"


def test_an_image_under_another_label_makes_two_runs_not_comparable():
    folds, right = folds_of(100), drawn(0.8, 100)
    labels = np.arange(100) % 2
    relabelled = labels.copy()
    relabelled[3] = 1 - relabelled[3]
    some = [candidate(str(at), table(right, folds, labels=one)) for at, one in enumerate((labels, relabelled))]
    assert compare(some).verdict.text == "not comparable: labels"


def test_a_metric_that_one_run_does_not_have_makes_two_runs_not_comparable():
    a = candidate("A", table(drawn(0.8, 100), folds_of(100)))
    b = candidate("B", None, scores={(0, fold): 0.5 for fold in range(5)})
    assert compare([a, b], metric="macro_f1").verdict.text == "not comparable: metric"


def test_a_run_beside_two_others_that_are_not_comparable_does_not_silence_them():
    folds = folds_of(2000)
    right = drawn(0.7, 2000)
    better = alike(right, better_by=0.1, discordance=0.2, seed=5)
    odd = candidate("Odd", table(right, folds_of(2000, seed=9)))
    found = compare([candidate("A", table(better, folds)), candidate("B", table(right, folds)), odd])
    assert found.verdict.word == NOT_COMPARABLE
    assert found.pairs[0].verdict.word == BETTER
    assert found.verdict.winner is None


def test_a_winner_must_beat_each_of_the_others():
    folds = folds_of(3000)
    right = drawn(0.7, 3000)
    some = [candidate("Base", table(right, folds))]
    some += [
        candidate(f"E{n}", table(alike(right, better_by=0.1 * n, discordance=0.25, seed=n), folds)) for n in (1, 2)
    ]
    found = compare(some)
    assert found.verdict.word == BETTER
    assert found.verdict.text == "E2 is better than each of the other 2"
    tied = compare([*some, candidate("E3", table(alike(right, better_by=0.2, discordance=0.25, seed=8), folds))])
    assert tied.verdict.word == CANNOT_TELL
    assert tied.can_be_best == (2, 3)


def test_a_fold_that_disagrees_is_named_and_no_winner_where_nothing_else_decides():
    folds = folds_of(2000)
    right = drawn(0.8, 2000)
    broken = np.where(folds == 3, drawn(0.4, 2000, seed=4), right)
    found = compare([candidate("Good", table(right, folds)), candidate("Broken", table(broken, folds))])
    assert (found.verdict.word, found.verdict.finding) == (NOT_TRUSTWORTHY, CANNOT_TELL)
    assert "fold 3 of Broken lies 42.8" in found.verdict.text
    assert "points below the others" in found.verdict.text
    assert "next: `foldproof run Broken --fold 3 --reseed` tells its images from its training" in found.verdict.notes
    assert found.verdict.winner is None


def test_a_fold_of_a_repeat_is_named_with_its_repeat():
    folds = folds_of(2000, repeats=2)
    right = drawn(0.8, 2000, repeats=2)
    right[1, folds[1] == 4] = False
    found = compare([candidate("A", table(right, folds))])
    assert "fold 1.4 of A lies 8" in found.verdict.text


def test_very_unequal_classes_are_compared_by_balanced_accuracy():
    labels = (np.arange(1000) < 100).astype(np.int64)  # one in ten is a dog
    folds = np.stack([np.arange(1000) % 5])
    majority = labels[None] == 0
    useless = table(majority, folds, labels=labels)
    found = compare([candidate("Majority", useless)])
    assert found.metric == "balanced_accuracy"
    assert found.lines[0].score.mean == pytest.approx(0.5)
    assert compare([candidate("Even", table(drawn(0.5, 100), folds_of(100)))]).metric == "accuracy"


def test_a_lower_log_loss_is_the_better_one():
    folds, right = folds_of(3000), drawn(0.7, 3000)
    better = alike(right, better_by=0.15, discordance=0.2, seed=1)
    found = compare(
        [candidate("Worse", table(right, folds)), candidate("Better", table(better, folds))], metric="log_loss"
    )
    assert found.pairs[0].difference.value > 0
    assert found.verdict.winner == 1


def brier(probabilities, labels):
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1).mean())


def test_a_metric_of_ones_own_must_say_which_direction_is_better(monkeypatch):
    folds, right = folds_of(3000), drawn(0.7, 3000)
    better = alike(right, better_by=0.2, discordance=0.25, seed=1)
    some = [candidate("Worse", table(right, folds)), candidate("Better", table(better, folds))]
    metric = f"{__name__}:brier"
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.delattr(brier, "higher_is_better", raising=False)
    with pytest.raises(UnknownName, match="which direction is better"):
        compare(some, metric=metric)
    monkeypatch.setattr(brier, "higher_is_better", False, raising=False)
    found = compare(some, metric=metric)
    assert found.verdict.winner == 1
    assert "points" not in found.verdict.text


def test_patients_with_many_alike_images_do_not_make_a_fold_disagree():
    flagged = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        patients = np.arange(1000) // 20
        right = rng.random(1000) < np.where(rng.random(50) < 0.5, 0.6, 0.95)[patients]
        folds = rng.permutation(np.arange(50) % 5)[patients][None]
        labels = patients % 2
        of = table(right[None], folds, groups=[f"patient {at}" for at in patients], labels=labels)
        found = compare([candidate("A", of)])
        flagged += bool(found.lines[0].disagreement and found.lines[0].disagreement.flagged)
    assert flagged <= 3


def test_folds_of_a_fold_in_common_are_to_be_finished_first():
    folds, right = folds_of(500), drawn(0.8, 500)
    whole = table(right, folds)
    some = [candidate(name, whole.take(whole.folds == 0)) for name in ("A", "B")]
    found = compare(some)
    assert any("foldproof run --resume" in note for note in found.verdict.notes)


def test_one_experiment_has_nothing_to_be_compared_with_but_an_interval():
    found = compare([candidate("A", table(drawn(0.8, 500), folds_of(500)))])
    assert found.verdict.word == ALONE
    interval = found.lines[0].interval
    assert interval.low < interval.value < interval.high


def test_the_wider_interval_is_shown_that_of_few_folds_or_that_of_few_images():
    images = 40
    folds = np.stack([np.arange(images) % 5])
    right = np.stack([np.arange(images) // 5 % 2 == 0])  # every fold the same score: no spread over folds
    line = compare([candidate("A", table(right, folds))]).lines[0]
    assert line.score.sd == pytest.approx(0, abs=1e-9)
    assert line.interval.high - line.interval.low > 0.25


@pytest.mark.parametrize("k", [2, 3, 10, 20])
def test_any_number_of_folds_can_be_compared(k):
    folds, right = folds_of(400, k=k), drawn(0.8, 400)
    other = alike(right, better_by=0.02, discordance=0.1, seed=k)
    found = compare([candidate("A", table(right, folds), k=k), candidate("B", table(other, folds), k=k)])
    assert found.pairs[0].places == k
    assert math.isfinite(found.pairs[0].difference.high)


@pytest.mark.slow
def test_thirty_experiments_are_435_pairs_of_which_those_with_the_best_are_shown():
    folds, right = folds_of(60), drawn(0.8, 60)
    found = compare(
        [candidate(f"E{n}", table(alike(right, better_by=0.0, discordance=0.1, seed=n), folds)) for n in range(30)]
    )
    assert len(found.pairs) == 435
    assert len(telling_pairs(found)) == 29
    assert found.verdict.word in (CANNOT_TELL, NOT_TRUSTWORTHY)


def test_missing_folds_leave_the_others_to_be_compared():
    folds, right = folds_of(500), drawn(0.8, 500)
    whole = table(right, folds)
    part = whole.take(whole.folds != 2)
    found = compare([candidate("A", whole), candidate("B", part)])
    assert found.pairs[0].places == 4
    assert found.pairs[0].common_images == len(part)
    assert len(found.lines[1].folds) == 4


def test_a_run_without_a_finished_fold_is_shown_and_named_nothing():
    found = compare([candidate("A", table(drawn(0.8, 100), folds_of(100))), candidate("Dead", None)])
    assert found.lines[1].score.n == 0
    assert found.verdict.word == NOT_COMPARABLE
    json.dumps(comparison_json(found), allow_nan=False)


def test_no_runs_at_all_are_an_empty_comparison():
    found = compare([])
    assert (found.lines, found.pairs, found.verdict) == ((), (), None)
    assert comparison_json(found)["runs"] == []


def test_two_runs_of_one_experiment_are_told_apart():
    one = candidate("A", table(drawn(0.8, 100), folds_of(100)))
    again = replace(one, summary=replace(one.summary, run="run-zzzzzz"))
    found = compare([one, again])
    assert "A (run-A)" in markdown(found)
    assert "A (zzzzzz)" in markdown(found)


def test_the_settings_that_differ_are_named_and_no_others():
    some = [candidate(name, table(drawn(0.8, 100), folds_of(100))) for name in ("A", "BB")]
    assert compare(some).differing == ("train.lr",)
    assert compare(some[:1]).differing == ()


def test_names_are_text_in_every_format():
    hostile = "=cmd|'/c'!A1 <b>*x*</b> $\\alpha$ & 100% _y_"
    some = [candidate(hostile, table(drawn(0.8, 100), folds_of(100))), candidate("B", None)]
    found = compare(some)
    assert csv_table(found).splitlines()[1].startswith("\"'=cmd|") or csv_table(found).splitlines()[1].startswith(
        "'=cmd|"
    )
    assert "\\<b\\>\\*x\\*" in markdown(found)
    assert r"\$\textbackslash{}alpha\$ \& 100\% \_y\_" in latex(found)


def test_the_best_of_several_is_said_to_flatter_and_the_cheapest_that_can_still_be_best_is_named():
    folds = folds_of(200)
    some = []
    for number, seconds in ((1, 30.0), (2, 20.0), (3, 90.0)):
        one = candidate(f"E{number}", table(drawn(0.8, 200, seed=number), folds))
        some.append(replace(one, summary=replace(one.summary, seconds=seconds)))
    found = compare(some, scored_on_this_data=40)
    assert found.optimism > 0
    assert "the cheapest that can still be best: E2" in found.verdict.notes
    assert any("flatter" in note for note in found.verdict.notes)
    assert any(note.startswith("40 experiments have been scored on these images") for note in found.verdict.notes)


def test_a_row_a_group_is_the_mean_of_its_images():
    images = 90
    groups = [f"patient {at // 9}" for at in range(images)]
    folds = np.stack([(np.arange(images) // 9) % 5])
    labels = (np.arange(images) // 9) % 2
    right = drawn(0.7, images, seed=6)
    line = compare([candidate("A", table(right, folds, groups=groups, labels=labels))]).lines[0]
    assert line.pooled["accuracy"] == pytest.approx(right.mean())
    majority = np.mean([right[0, 9 * at : 9 * at + 9].mean() > 0.5 for at in range(10)])
    assert line.pooled_by_group["accuracy"] == pytest.approx(majority)


def test_a_difference_that_three_folds_cannot_bound_stays_within_what_can_be_and_says_so():
    scores = {"Flat": (0.95, 0.10, 0.55), "Steep": (0.15, 0.90, 0.50)}
    rows = [
        FoldScore(experiment=name, repeat=0, fold=fold, score=score)
        for name, some in scores.items()
        for fold, score in enumerate(some)
    ]
    found = compare(candidates_of_scores(rows, metric="accuracy"))
    (pair,) = found.pairs
    assert (pair.difference.low, pair.difference.high) == (-1, 1)
    assert pair.detectable == math.inf
    assert "these folds cannot tell two scores apart" in pair.verdict.text
    for written in (markdown(found), latex(found)):
        assert "these folds cannot tell" in written
        assert "see differences of about" not in written
    assert comparison_json(found)["pairs"][0]["detectable_difference"] is None


def test_a_difference_at_the_edge_has_one_bound_there_and_the_other_where_it_was():
    folds = folds_of(14, seed=1)
    right = np.ones((1, 14), dtype=bool)
    found = compare([candidate("All", table(right, folds)), candidate("None", table(~right, folds))])
    (pair,) = found.pairs
    assert pair.difference.value == pair.difference.high == 1
    assert 0 < pair.difference.low < 1


def test_few_images_say_that_repeats_cannot_make_up_for_them():
    folds = folds_of(6, seed=0)
    right = np.array([[True, False, True, False, True, True]])
    found = compare([candidate("A", table(right, folds)), candidate("B", table(~right, folds))])
    assert "these images cannot tell" in found.verdict.text
    assert found.next_step == "next: more images; repeats cannot make up for so few"


def test_many_folds_that_lie_apart_are_one_line():
    names = [f"Try_{number}" for number in range(6)]
    rows = [
        FoldScore(experiment=name, repeat=0, fold=fold, score=score, images=400)
        for name in names
        for fold, score in enumerate((0.81, 0.80, 0.32, 0.79, 0.80))
    ]
    said = compare(candidates_of_scores(rows, metric="accuracy")).verdict
    told = [text for text in (said.text, *said.notes) if text.startswith(NOT_TRUSTWORTHY)]
    assert told == [
        f"{NOT_TRUSTWORTHY}: fold 2 of Try_0, fold 2 of Try_1, fold 2 of Try_2 and 3 more lie apart from the others"
    ]
