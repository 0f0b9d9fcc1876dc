"""The thresholds of a verdict, and the figures before them, against scipy, statsmodels and closed forms."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.analysis.comparison import Comparison, Disagreement, Estimate, Line, Pair
from foldproof.analysis.pairing import find_common
from foldproof.analysis.pairs import adjusted, judged
from foldproof.analysis.rows import rows_of
from foldproof.analysis.statistics.homogeneity import BY_CURVES, BY_SCORES
from foldproof.analysis.statistics.optimism import optimism_of_best
from foldproof.analysis.statistics.paired import Rows, both_ways, corrected, estimate_by_images, estimate_by_runs
from foldproof.analysis.statistics.sample_size import images_by_scale
from foldproof.analysis.statistics.student import Student
from foldproof.analysis.verdict import (
    ALONE,
    BETTER,
    CANNOT_TELL,
    NOT_COMPARABLE,
    NOT_TRUSTWORTHY,
    PRACTICALLY_EQUAL,
    PROBABLY_BETTER,
    WORDS,
    disagreement_in_words,
    judge,
    judge_pair,
    winner_of,
)
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread
from scored import Scored, write_run
from tabled import alike, candidate, drawn, folds_of, table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats import multitest, sandwich_covariance

NONE = Spread(math.nan, math.nan, 0)
PAIR = Pair(
    a=0,
    b=1,
    places=5,
    difference=Estimate(0.02, 0.01, 0.03),
    p=0.001,
    adjusted=0.001,
    worse=0.0,
    equal=0.5,
    better=0.5,
    above=0.96,
    detectable=0.03,
)


def line(name: str, **changed: object) -> Line:
    return replace(
        Line(
            run=f"run-{name}",
            experiment=name,
            status="finished",
            k=5,
            repeats=1,
            images=100,
            score=NONE,
            interval=Estimate(0.9, 0.85, 0.95),
            accuracy=NONE,
            folds={FoldId(0, fold): 0.9 for fold in range(5)},
            accuracy_by_fold={},
        ),
        **changed,
    )


LINES = (line("one"), line("two"))
THREE = (*LINES, line("three"))
FLAGGED = Disagreement(
    test="a test", p=0.001, adjusted=0.002, fold_id=FoldId(0, 3), score=0.5, others=0.9, flagged=True
)


def judged_pair(pair: Pair, lines=LINES, remarks=()):
    return judge_pair(pair, lines, ("one", "two"), metric="accuracy", rope=0.01, remarks=remarks)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"better": 0.95}, BETTER),
        ({"better": 0.9499, "above": 0.975}, PROBABLY_BETTER),
        ({"better": 0.9499, "above": 0.9749}, None),
        ({"better": 0.99, "above": 0.999, "adjusted": 0.0499}, BETTER),
        ({"better": 0.99, "above": 0.999, "adjusted": 0.05}, None),
        ({"better": 0.99, "above": 0.999, "p": 0.001, "adjusted": 0.3}, None),
        ({"better": 0.99, "above": 0.999, "adjusted": math.nan}, None),
    ],
)
def test_a_winner_is_named_from_95_hundredths_beyond_what_matters_or_975_thousandths_of_the_sign(changed, word):
    pair = replace(PAIR, **changed)
    assert winner_of(pair) == (None if word is None else (0, word))
    mirrored = replace(pair, worse=pair.better, better=pair.worse, above=1 - pair.above)
    assert winner_of(mirrored) == (None if word is None else (1, word))


@pytest.mark.parametrize(("equal", "word"), [(0.95, PRACTICALLY_EQUAL), (0.9499, CANNOT_TELL)])
def test_equal_is_said_from_95_hundredths_within_what_matters(equal, word):
    assert judged_pair(replace(PAIR, equal=equal, adjusted=0.5)).word == word


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"better": 0.96}, BETTER),
        ({"better": 0.5}, PROBABLY_BETTER),
        ({"equal": 0.96, "adjusted": 0.5}, PRACTICALLY_EQUAL),
    ],
)
def test_a_fold_that_disagrees_stands_below_what_the_pair_decides(changed, word):
    pair = replace(PAIR, above=0.98, **changed)
    found = judged_pair(pair, (LINES[0], line("two", disagreement=FLAGGED)))
    assert (found.word, found.finding) == (word, word)
    assert found.notes[0].startswith("not trustworthy yet: fold 3 of two lies 40.0 points below the others")


def test_a_fold_that_disagrees_is_the_verdict_where_the_pair_cannot_tell():
    undecided = replace(PAIR, adjusted=0.5)
    distrusted = judged_pair(undecided, (LINES[0], line("two", disagreement=FLAGGED)))
    assert (distrusted.word, distrusted.winner, distrusted.finding) == (NOT_TRUSTWORTHY, None, CANNOT_TELL)
    assert distrusted.notes[0].startswith("cannot tell")
    calm = judged_pair(undecided, (LINES[0], line("two", disagreement=replace(FLAGGED, flagged=False))))
    assert calm.word == CANNOT_TELL
    assert not any("fold 3" in note for note in calm.notes)
    apart = judged_pair(replace(PAIR, not_comparable="folds"), (LINES[0], line("two", disagreement=FLAGGED)), ("so",))
    assert (apart.word, apart.text, apart.notes) == (NOT_COMPARABLE, "not comparable: folds", ("so",))


def test_how_far_a_fold_lies_from_the_others_is_said_in_points_and_over_how_many_epochs():
    below = disagreement_in_words(FLAGGED, name="two", repeats=1)
    assert below == "fold 3 of two lies 40.0 points below the others (50.0 % against 90.0 %; p = 0.002, a test)"
    above = disagreement_in_words(replace(FLAGGED, others=0.42, epochs=3), name="two", repeats=2)
    assert above.startswith(
        "fold 0.3 of two lies 8.0 points above the others (50.0 % against 42.0 % on average over the last 3 epochs;"
    )


def test_a_winner_is_said_with_its_gap_its_interval_and_its_proof():
    won = replace(PAIR, better=0.96, difference=Estimate(0.024, 0.01, 0.038))
    text = judged_pair(won).text
    assert text == "one is better: by 2.4 points (95 % interval 1.0 to 3.8), beyond 1.0 point with P = 0.960"
    lost = replace(won, worse=0.96, better=0.0, above=0.01, difference=Estimate(-0.024, -0.038, -0.01))
    assert judged_pair(lost).text == text.replace("one is", "two is")
    probably = replace(won, better=0.5, above=0.9999)
    assert judged_pair(probably).text.endswith("above 0 with P > 0.999")


def compared(*pairs: Pair, lines=THREE, **changed: object) -> Comparison:
    values = {
        "metric": "accuracy",
        "rope": 0.01,
        "lines": lines,
        "differing": (),
        "same_images": True,
        "same_folds": True,
        "pairs": pairs,
        "verdict": None,
        "can_be_best": (0, 1, 2),
        "cheapest": None,
        "optimism": 0.0,
        "scored_on_this_data": None,
        **changed,
    }
    return Comparison(**values)


ONE_TWO, ONE_THREE, TWO_THREE = (replace(PAIR, a=a, b=b, adjusted=0.5) for a, b in ((0, 1), (0, 2), (1, 2)))


def won_by(pair: Pair, at: int, word: str) -> Pair:
    sure = {BETTER: (0.96, 0.99), PROBABLY_BETTER: (0.5, 0.99)}[word]
    beyond, above = sure
    mine = at == pair.a
    return replace(
        pair,
        adjusted=0.01,
        better=beyond if mine else 0.0,
        worse=0.0 if mine else beyond,
        above=above if mine else 1 - above,
    )


@pytest.mark.parametrize(
    ("pairs", "word", "winner"),
    [
        ((won_by(ONE_TWO, 0, BETTER), won_by(ONE_THREE, 0, BETTER), TWO_THREE), BETTER, 0),
        ((won_by(ONE_TWO, 0, BETTER), won_by(ONE_THREE, 0, PROBABLY_BETTER), TWO_THREE), PROBABLY_BETTER, 0),
        ((won_by(ONE_TWO, 1, BETTER), ONE_THREE, won_by(TWO_THREE, 1, BETTER)), BETTER, 1),
        ((won_by(ONE_TWO, 1, BETTER), won_by(ONE_THREE, 0, BETTER), TWO_THREE), CANNOT_TELL, None),
        ((won_by(ONE_TWO, 0, BETTER), ONE_THREE, TWO_THREE), CANNOT_TELL, None),
    ],
)
def test_the_best_of_three_beats_both_others_and_is_as_sure_as_the_less_sure_of_its_victories(pairs, word, winner):
    found = judge(compared(*pairs))
    assert (found.word, found.winner) == (word, winner)


def test_three_are_practically_equal_where_every_pair_is_and_none_won():
    equal = [replace(pair, equal=0.95) for pair in (ONE_TWO, ONE_THREE, TWO_THREE)]
    assert judge(compared(*equal)).word == PRACTICALLY_EQUAL
    assert judge(compared(*equal[:2], replace(equal[2], equal=0.9))).word == CANNOT_TELL
    assert judge(compared(*equal[:2], won_by(equal[2], 1, PROBABLY_BETTER))).word == CANNOT_TELL


def test_pairs_that_cannot_be_compared_come_first_and_a_fold_that_disagrees_below_a_winner():
    pairs = (won_by(ONE_TWO, 0, BETTER), won_by(ONE_THREE, 0, BETTER), TWO_THREE)
    flagged = (LINES[0], line("two", disagreement=FLAGGED), line("three"))
    found = judge(compared(*pairs, lines=flagged), remarks=("so",))
    assert (found.word, found.winner, found.finding, found.notes[-1]) == (BETTER, 0, BETTER, "so")
    assert found.notes[0].startswith("not trustworthy yet: fold 3 of two")
    apart = judge(compared(*pairs[:2], replace(TWO_THREE, not_comparable="folds"), lines=flagged))
    assert (apart.word, apart.finding) == (NOT_COMPARABLE, BETTER)
    assert apart.text == "not comparable: folds (two and three)"
    assert apart.notes[0].startswith("one is better")
    assert apart.notes[1].startswith("not trustworthy yet")
    undecided = judge(compared(ONE_TWO, ONE_THREE, TWO_THREE, lines=flagged))
    assert (undecided.word, undecided.finding) == (NOT_TRUSTWORTHY, CANNOT_TELL)


@pytest.mark.parametrize(("optimism", "said"), [(0.001, True), (0.00099, False), (math.nan, False)])
def test_a_flattery_of_a_tenth_of_a_point_is_said(optimism, said):
    notes = judge(compared(ONE_TWO, ONE_THREE, TWO_THREE, optimism=optimism)).notes
    assert any("flatter" in note for note in notes) == said


@pytest.mark.parametrize(("scored", "said"), [(None, False), (3, False), (4, True)])
def test_experiments_that_were_scored_and_are_not_shown_are_said(scored, said):
    notes = judge(compared(ONE_TWO, ONE_THREE, TWO_THREE, scored_on_this_data=scored)).notes
    assert any("have been scored" in note for note in notes) == said


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_p_values_of_pairs_are_adjusted_over_all_pairs_as_by_statsmodels(seed):
    p = np.random.default_rng(seed).beta(0.4, 2, size=6)
    pairs = adjusted([replace(PAIR, p=float(value)) for value in p])
    assert [pair.adjusted for pair in pairs] == pytest.approx(list(multitest.multipletests(p, method="holm")[1]))


@pytest.mark.slow
def test_experiments_that_are_compared_together_have_p_values_for_all_their_pairs():
    images = 600
    folds, right = folds_of(images), drawn(0.8, images)
    tables = [
        table(alike(right, better_by=by, discordance=0.2, seed=at), folds) for at, by in enumerate((0, 0.04, 0.06))
    ]
    found = compare([candidate(f"e{at}", one) for at, one in enumerate(tables)])
    p = [pair.p for pair in found.pairs]
    assert [pair.adjusted for pair in found.pairs] == pytest.approx(list(multitest.multipletests(p, method="holm")[1]))
    assert any(pair.adjusted > pair.p for pair in found.pairs)


@pytest.mark.parametrize("seed", range(4))
def test_a_standard_error_clustered_by_images_and_runs_is_that_of_statsmodels(seed):
    """Over a balanced table: 60 images in 4 repeats of 5 folds, every fold of 12 rows."""
    folds = folds_of(60, repeats=4, seed=seed)
    right = drawn(0.7, 60, repeats=4, seed=seed)
    other = alike(right, better_by=0.05, discordance=0.3, seed=seed)
    rows = rows_of(find_common(table(right, folds), table(other, folds)), "accuracy")
    differences = rows.contribution * len(rows.contribution)
    fit = OLS(differences, np.ones(len(differences))).fit()
    _, of_images, of_runs = sandwich_covariance.cov_cluster_2groups(fit, rows.unit, rows.place, use_correction=False)
    runs = len(np.unique(rows.place))
    alone = float((fit.resid**2).sum()) / len(differences) ** 2
    expected = of_images.item() + of_runs.item() * runs / (runs - 1) - alone
    assert estimate_by_runs(rows).scale == pytest.approx(math.sqrt(max(expected, 0.0)))
    assert estimate_by_runs(rows).df == runs - 1
    assert estimate_by_images(replace(rows, least=0.0)).scale == pytest.approx(math.sqrt(of_images.item()))


def test_the_reading_with_the_wider_interval_speaks_and_the_larger_p_is_taken_whichever_that_is():
    quarrel = Rows(
        contribution=np.array([0.5, 0.3, -0.2, -0.1]),
        residual=np.array([0.1, 0.1, -0.1, -0.1]),
        place=np.array([0, 0, 1, 1]),
        unit=np.array([0, 1, 2, 3]),
    )
    runs, images = estimate_by_runs(quarrel), estimate_by_images(quarrel)
    assert runs.half_width > images.half_width
    assert both_ways(quarrel) == (runs, max(runs.p, images.p))
    quiet = replace(quarrel, contribution=np.array([0.1, 0.1, 0.1, 0.1]), least=90.0)
    assert both_ways(quiet)[0] == estimate_by_images(quiet)
    assert both_ways(quiet)[1] == max(estimate_by_runs(quiet).p, estimate_by_images(quiet).p)


@pytest.mark.parametrize(("k", "repeats"), [(5, 1), (5, 3), (10, 1)])
def test_the_best_of_two_equals_flatters_by_what_the_maximum_of_two_normals_does(k, repeats):
    """E max(X, Y) = sqrt(Var(X - Y) / 2 pi) for equal means (Clark 1961)."""
    rng = np.random.default_rng(k)
    one, two = rng.normal(0.8, 0.03, (2, k * repeats))
    two += one.mean() - two.mean()
    n = k * repeats
    variance = np.var(one - two, ddof=1) * (1 / n + 1 / (k - 1))
    expected = math.sqrt(variance / (2 * math.pi))
    assert optimism_of_best(np.stack([one, two]), k=k) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("df", [1, 4, 9.0])
def test_student_is_scipys(df):
    mine, theirs = Student(0.02, 0.01, df), stats.t(df, loc=0.02, scale=0.01)
    assert mine.half_width == pytest.approx(theirs.ppf(0.975) - 0.02)
    assert mine.p == pytest.approx(2 * stats.t(df).sf(2.0))
    assert mine.above(0.03) == pytest.approx(theirs.sf(0.03))
    assert mine.below(0.03) == pytest.approx(theirs.cdf(0.03))
    assert mine.detectable == pytest.approx(0.01 * (stats.t(df).ppf(0.975) + stats.t(df).ppf(0.8)))


@pytest.mark.parametrize(("location", "p", "above"), [(0.0, 1.0, 0.0), (0.1, 0.0, 1.0)])
def test_without_spread_a_difference_is_what_it_is(location, p, above):
    sure = Student(location, 0.0, 4)
    assert (sure.p, sure.above(0.0), sure.above(0.2), sure.half_width) == (p, above, 0.0, 0.0)


@pytest.mark.parametrize("unknown", [Student(0.1, 0.1, 0), Student(math.nan, 0.1, 4), Student(0.1, math.nan, 4)])
def test_where_nothing_is_known_nothing_is_said(unknown):
    assert unknown.p == 1
    assert unknown.half_width == math.inf
    assert all(math.isnan(value) for value in (unknown.above(0), unknown.below(0), unknown.detectable))


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_what_is_beyond_within_and_below_what_matters_adds_up_and_follows_the_direction_of_the_metric(metric):
    reading, plain = Student(0.02, 0.01, 9), Student(0.02, 0.02, 4)
    pair = Pair(a=0, b=1, differences={(0, 0): 0.01, (0, 1): 0.03, (1, 0): 0.02})
    found = judged(pair, reading, plain, metric, 0.01)
    theirs = stats.t(9, loc=0.02, scale=0.01)
    beyond = (theirs.sf(0.01), theirs.cdf(-0.01))
    better, worse = beyond if metric == "accuracy" else beyond[::-1]
    assert (found.better, found.worse) == pytest.approx((better, worse))
    assert found.equal == pytest.approx(theirs.cdf(0.01) - theirs.cdf(-0.01))
    assert found.above == pytest.approx(theirs.sf(0) if metric == "accuracy" else theirs.cdf(0))
    assert (found.places, found.repeats) == (3, 2)
    assert (found.p, found.corrected_p) == pytest.approx((reading.p, plain.p))
    half = theirs.ppf(0.975) - 0.02
    assert found.difference == Estimate(pytest.approx(0.02), pytest.approx(0.02 - half), pytest.approx(0.02 + half))
    unknown = judged(pair, corrected(np.array([0.1]), k=5), corrected(np.array([0.1]), k=5), metric, 0.01)
    assert math.isnan(unknown.p)
    assert math.isnan(unknown.corrected_p)
    assert math.isnan(unknown.difference.low)


@pytest.mark.slow
@pytest.mark.parametrize(("experiments", "known"), [(1, True), (1_000, True), (1_001, False)])
def test_how_far_the_best_flatters_is_said_of_up_to_a_thousand_experiments(experiments, known, monkeypatch):
    monkeypatch.setattr("foldproof.analysis.statistics.optimism.DRAWS", 2)
    scores = np.random.default_rng(1).normal(0.8, 0.01, (experiments, 2))
    assert math.isnan(optimism_of_best(scores, k=2)) != known


def test_how_far_the_best_flatters_is_not_known_from_a_fold_or_where_a_score_is_none():
    scores = np.random.default_rng(1).normal(0.8, 0.01, (3, 5))
    lacking = scores.copy()
    lacking[1, 1:] = np.nan
    assert math.isnan(optimism_of_best(lacking, k=5))
    lacking = scores.copy()
    lacking[1, 2:] = np.nan
    assert optimism_of_best(lacking, k=5) == optimism_of_best(scores[:, :2], k=5)
    assert math.isnan(optimism_of_best(np.where(scores == scores[0, 0], np.inf, scores), k=5))
    assert optimism_of_best(scores[:1], k=5) == 0.0


def test_there_are_seven_words():
    words = {NOT_COMPARABLE, NOT_TRUSTWORTHY, BETTER, PROBABLY_BETTER, PRACTICALLY_EQUAL, CANNOT_TELL, ALONE}
    assert set(WORDS) == words
    assert len(WORDS) == 7


def test_runs_that_are_known_by_their_folds_alone_are_held_together_where_their_folds_are_the_same():
    scores = {FoldId(0, fold): 0.8 + fold / 100 for fold in range(5)}
    others = {place: score - 0.05 for place, score in scores.items()}
    three = [candidate(name, None, scores=of) for name, of in (("one", scores), ("two", others), ("three", others))]
    apart = replace(three[2], summary=replace(three[2].summary, folds_digest="another"))
    found = compare([*three[:2], apart]).pairs
    assert [(pair.a, pair.b, pair.not_comparable) for pair in found] == [(0, 1, ""), (0, 2, "folds"), (1, 2, "folds")]
    more = replace(three[2], summary=replace(three[2].summary, k=6))
    assert [pair.not_comparable for pair in compare([*three[:2], more]).pairs] == ["", "folds", "folds"]
    none = candidate("none", None, scores={})
    found = compare([three[0], three[1], none]).pairs
    assert [(pair.a, pair.b, pair.not_comparable) for pair in found] == [(0, 1, ""), (0, 2, "folds"), (1, 2, "folds")]


def test_the_predictions_in_a_runs_folder_are_what_it_is_compared_by(tmp_path):
    record = write_run(tmp_path, "20260102-030405-abcdef", Scored())
    found = Candidate.of(record)
    assert (len(found.table), found.without_table) == (36, "")
    nothing = Candidate.of(write_run(tmp_path, "20260102-030405-bcdefg", Scored(finished=0)))
    assert (nothing.table, nothing.without_table) == (None, "no fold has finished")
    (record.folder / "fold-0-1" / "predictions.parquet").unlink()
    lacking = Candidate.of(record)
    assert lacking.table is None
    assert "cannot be used: there is none" in lacking.without_table


def test_a_metric_that_only_one_of_two_lacks_beside_a_score_is_why_they_cannot_be_compared():
    measured = candidate("one", None, scores={FoldId(0, fold): 0.8 for fold in range(5)})
    nothing = candidate("none", None, scores={})
    (found,) = compare([measured, nothing], metric="macro_f1").pairs
    assert found.not_comparable == "metric"
    (found,) = compare([nothing, replace(nothing)], metric="macro_f1").pairs
    assert found.not_comparable == "folds"


@pytest.mark.parametrize(
    ("needed", "said"),
    [
        (123_456, "124,000"),
        (100_000, "100,000"),
        (1_234, "1,240"),
        (999, "999"),
        (101, "101"),
        (100, None),
        (None, None),
    ],
)
def test_images_that_would_be_needed_are_said_to_three_digits_where_there_are_fewer(needed, said):
    pair = replace(PAIR, adjusted=0.5, images_needed=needed, common_images=100)
    text = judged_pair(pair).text
    assert text.startswith("cannot tell: this design sees differences of about 3.0 points")
    assert (f"; 1.0 point needs at least {said} images" in text) == (said is not None)
    assert text.endswith("images" if said else "points")


@pytest.mark.parametrize(
    ("places", "few"),
    [(1, "1 fold in common says nothing about chance"), (2, "2 folds in common say nothing about chance")],
)
def test_where_nothing_is_known_of_chance_that_is_said(places, few):
    assert judged_pair(replace(PAIR, detectable=math.nan, places=places, adjusted=0.5)).text == f"cannot tell: {few}"


def test_images_that_only_one_has_and_a_single_partition_are_said():
    pair = replace(PAIR, common_images=1_200, only_in_a=30, only_in_b=0)
    assert judged_pair(pair).notes == ("one partition", "on the 1,200 images in common; 30 only in one")
    pair = replace(pair, only_in_a=3, only_in_b=1_000, repeats=2)
    assert judged_pair(pair).notes == ("on the 1,200 images in common; 3 only in one, 1,000 only in two",)
    assert judged_pair(replace(PAIR, repeats=2)).notes == ()


@pytest.mark.parametrize(
    ("difference", "scale"), [(0.0, 0.1), (-0.1, 0.1), (0.1, 0.0), (0.1, -0.1), (math.nan, 0.1), (0.1, math.nan)]
)
def test_no_number_of_images_is_made_up_of_a_scale_of_nothing(difference, scale):
    assert images_by_scale(difference, images=100, scale=scale) is None


def test_images_are_counted_so_that_four_of_five_repetitions_find_the_difference():
    needed = images_by_scale(0.02, images=400, scale=0.03)
    per_image = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert needed == math.ceil(400 * (per_image * 0.03 / 0.02) ** 2)
    power = stats.norm.sf(stats.norm.ppf(0.975) - 0.02 / (0.03 * math.sqrt(400 / needed)))
    assert power == pytest.approx(0.8, abs=1e-3)


def test_folds_that_only_one_of_two_has_are_left_out_of_their_difference():
    early = candidate("one", None, scores={FoldId(0, fold): 0.8 + fold / 100 for fold in (0, 1, 2, 3)})
    late = candidate("two", None, scores={FoldId(0, fold): 0.7 + fold / 50 for fold in (1, 2, 3, 4)})
    (found,) = compare([early, late]).pairs
    assert found.differences == pytest.approx({FoldId(0, fold): 0.1 - fold / 100 for fold in (1, 2, 3)})
    (turned,) = compare([late, early]).pairs
    assert turned.differences == pytest.approx({FoldId(0, fold): fold / 100 - 0.1 for fold in (1, 2, 3)})


def test_where_the_images_of_one_fold_are_not_counted_those_of_none_are():
    scores = {FoldId(0, fold): 0.8 for fold in range(5)}
    one = candidate("one", None, scores=scores)
    counted = replace(one, summary=replace(one.summary, images_by_fold=dict.fromkeys(scores, 100)))
    lacking = replace(one, summary=replace(one.summary, images_by_fold={(0, 0): 100}))
    tests = [compare([some]).lines[0].disagreement.test for some in (counted, lacking)]
    assert tests == [BY_CURVES, BY_SCORES]


@pytest.mark.parametrize("order", [1, -1])
def test_a_run_with_predictions_and_one_without_are_compared_by_their_folds(order):
    folds, right = folds_of(500), drawn(0.8, 500)
    known = candidate("known", table(right, folds))
    told = candidate(
        "told", None, scores={place: score - 0.1 for place, score in known.summary.accuracy_by_fold.items()}
    )
    (found,) = compare([known, told][::order]).pairs
    assert found.common_images is None
    assert list(found.differences.values()) == pytest.approx([0.1 * order] * 5)


def test_what_each_image_adds_to_a_difference_of_log_losses_is_the_log_of_the_probability_of_its_class():
    folds, right = folds_of(100), drawn(0.8, 100)
    one, two = table(right, folds), table(alike(right, better_by=0.0, discordance=0.3, seed=1), folds)
    rows = rows_of(find_common(one, two), "log_loss")
    chosen = [some.probabilities[np.arange(100), some.labels].astype(np.float64) for some in (one, two)]
    sizes = np.bincount(folds[0])[folds[0]]
    assert rows.contribution == pytest.approx((np.log(chosen[1]) - np.log(chosen[0])) / sizes / 5)
