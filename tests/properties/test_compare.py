"""What must hold of any comparison."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.analysis.as_json import comparison_json
from foldproof.analysis.compare import compare
from foldproof.analysis.statistics.homogeneity import FoldCurve, compare_curves, compare_scores
from foldproof.analysis.statistics.paired import corrected, holm
from foldproof.analysis.tables import csv_table, latex, markdown
from foldproof.analysis.verdict import BETTER, PROBABLY_BETTER, WORDS
from foldproof.events.fold_id import FoldId
from tabled import candidate, drawn, folds_of, table

FRACTIONS = st.floats(0, 1, allow_nan=False)
SCORES = st.lists(FRACTIONS, min_size=2, max_size=20)


@st.composite
def candidates(draw, most=4, least=1):
    """Experiments on the same images and folds, some folds of some missing, some known by their scores alone."""
    k, repeats, images = draw(st.integers(2, 20)), draw(st.integers(1, 3)), draw(st.integers(20, 60))
    folds = folds_of(images, k=k, repeats=repeats, seed=draw(st.integers(0, 99)))
    made = []
    for number in range(draw(st.integers(least, most))):
        right = drawn(draw(FRACTIONS), images, repeats=repeats, seed=draw(st.integers(0, 99)))
        whole = table(right, folds)
        kept = whole.take(np.isin(whole.folds, draw(st.sets(st.integers(0, k - 1), min_size=1))))
        with_table = draw(st.booleans())
        scores = {place: draw(FRACTIONS) for place in kept.fold_ids}
        made.append(candidate(f"e{number}", kept if with_table else None, scores=scores, k=k))
    return made


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(candidates(), st.sampled_from(["auto", "accuracy", "balanced_accuracy", "log_loss", "macro_f1"]))
def test_any_experiments_give_a_verdict_in_fixed_words_and_figures_that_json_can_hold(some, metric):
    found = compare(some, metric=metric)
    assert found.verdict.word in WORDS
    assert all(pair.verdict.word in WORDS for pair in found.pairs)
    json.dumps(comparison_json(found), allow_nan=False)
    assert markdown(found)
    assert latex(found)
    assert csv_table(found)


@settings(max_examples=30, deadline=None)
@given(candidates(least=2, most=2), st.sampled_from(["accuracy", "balanced_accuracy", "log_loss"]))
def test_swapping_two_experiments_mirrors_everything(some, metric):
    there, back = (compare(order, metric=metric).pairs[0] for order in (some, some[::-1]))
    assert there.not_comparable == back.not_comparable
    same = {"equal_nan": True, "atol": 1e-12}
    assert np.allclose(there.difference.value, -back.difference.value, **same)
    assert np.allclose(
        (there.difference.low, there.difference.high), (-back.difference.high, -back.difference.low), **same
    )
    assert np.allclose(
        (there.worse, there.equal, there.better, there.p), (back.better, back.equal, back.worse, back.p), **same
    )
    assert there.verdict.word == back.verdict.word


@settings(max_examples=30, deadline=None)
@given(candidates(least=3, most=3))
def test_no_better_one_is_named_without_an_interval_beside_zero_and_a_small_p(some):
    for pair in compare(some).pairs:
        if pair.verdict.winner is not None:
            assert pair.verdict.word in (BETTER, PROBABLY_BETTER)
            assert pair.adjusted < 0.05
            assert not pair.difference.low <= 0 <= pair.difference.high


@given(SCORES, st.floats(-0.5, 0.5))
def test_adding_a_constant_to_both_changes_nothing(scores, constant):
    a = np.array(scores)
    b = a[::-1]
    plain, shifted = corrected(a - b, k=len(a)), corrected((a + constant) - (b + constant), k=len(a))
    assert math.isclose(plain.location, shifted.location, abs_tol=1e-9)
    assert plain.known == shifted.known or plain.scale < 1e-9 or shifted.scale < 1e-9


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_folds_does_not_matter(scores, random):
    shuffled = random.sample(scores, len(scores))
    plain, other = corrected(np.array(scores), k=5), corrected(np.array(shuffled), k=5)
    assert math.isclose(plain.p, other.p, rel_tol=1e-6, abs_tol=1e-9)
    (found,), (again,) = (
        compare_scores([{FoldId(0, at): score for at, score in enumerate(one)}]) for one in (scores, shuffled)
    )
    assert (found is None) == (again is None)
    assert found is None or math.isclose(found.p, again.p, rel_tol=1e-6, abs_tol=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=12),
    st.integers(1, 6),
)
def test_equal_folds_never_disagree_and_p_values_are_probabilities(drawn, epochs):
    counts = {FoldId(repeat, at): (hits, hits + wrong) for at, (repeat, hits, wrong) in enumerate(drawn)}
    curves = {place: FoldCurve((hits / images,) * epochs, images) for place, (hits, images) in counts.items()}
    found = compare_curves(curves)
    assert found is None or 0 <= found.p <= 1
    level = compare_curves({place: FoldCurve((0.8,) * epochs, 10) for place in counts})
    assert level is None or (level.p > 0.999 and not level.matters)
    several = any(sum(place[0] == repeat for place in counts) > 1 for repeat in range(3))
    assert (found is not None) == several


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p):
    values = np.array(p)
    adjusted = holm(values)
    assert (adjusted >= values).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
