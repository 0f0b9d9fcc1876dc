"""Compare two candidates on what both have. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Estimate, Pair
from foldproof.analysis.lines import scores_of
from foldproof.analysis.pairing import FOLDS, METRIC, Common, discordant, find_common
from foldproof.analysis.rows import rows_of
from foldproof.analysis.scoring import ACCURACY, fold_scores
from foldproof.analysis.statistics.paired import Rows, both_ways, corrected, estimate_by_images, holm
from foldproof.analysis.statistics.sample_size import images_by_scale, images_for_accuracy
from foldproof.analysis.statistics.student import Student
from foldproof.events.fold_id import FoldId
from foldproof.metrics import metric_of


def pairs_of(candidates: Sequence[Candidate], *, metric: str, rope: float) -> list[Pair]:
    """All pairs, in order, their p-values adjusted over all of them (Holm)."""
    scores = [scores_of(candidate, metric) for candidate in candidates]
    pairs = [
        _pair((a, b), (candidates[a], candidates[b]), (scores[a], scores[b]), metric=metric, rope=rope)
        for a, b in combinations(range(len(candidates)), 2)
    ]
    return adjusted(pairs)


def adjusted(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs, with p-values adjusted for being several (Holm)."""
    values = holm(np.array([pair.p for pair in pairs], dtype=np.float64))
    return [replace(pair, adjusted=float(p)) for pair, p in zip(pairs, values, strict=True)]


def _pair(
    at: tuple[int, int],
    candidates: tuple[Candidate, Candidate],
    scores: tuple[Mapping[FoldId, float], Mapping[FoldId, float]],
    *,
    metric: str,
    rope: float,
) -> Pair:
    a, b = candidates
    if a.table is None or b.table is None:
        return _by_folds(at, candidates, scores, metric, rope)
    common = find_common(a.table, b.table)
    if isinstance(common, str):
        return Pair(a=at[0], b=at[1], not_comparable=common)
    of_a, of_b = fold_scores(common.a, metric), fold_scores(common.b, metric)
    differences = {fold_id: of_a[fold_id] - of_b[fold_id] for fold_id in of_a}
    plain = corrected(np.array(list(differences.values())), k=a.summary.k)
    rows = rows_of(common, metric)
    reading, p = both_ways(rows) if rows is not None else (plain, plain.p)
    only_a, only_b = discordant(common)
    made = judged(Pair(a=at[0], b=at[1], differences=differences), reading, plain, metric, rope)
    return replace(
        made,
        p=p if reading.known else math.nan,
        common_images=common.images,
        only_in_a=common.only_in_a,
        only_in_b=common.only_in_b,
        only_a_right=only_a,
        only_b_right=only_b,
        images_needed=_needed(common, rows, metric, rope, only_a + only_b),
    )


def _by_folds(
    at: tuple[int, int],
    candidates: tuple[Candidate, Candidate],
    scores: tuple[Mapping[FoldId, float], Mapping[FoldId, float]],
    metric: str,
    rope: float,
) -> Pair:
    """A pair of which at least one is known by the scores of its folds alone."""
    a, b = candidates
    if not scores[0] or not scores[1]:
        unmeasured = any(item.summary.accuracy_by_fold for item, one in zip(candidates, scores, strict=True) if not one)
        return Pair(a=at[0], b=at[1], not_comparable=METRIC if unmeasured else FOLDS)
    if a.summary.folds_digest != b.summary.folds_digest or a.summary.k != b.summary.k:
        return Pair(a=at[0], b=at[1], not_comparable=FOLDS)
    differences = {fold_id: scores[0][fold_id] - scores[1][fold_id] for fold_id in scores[0] if fold_id in scores[1]}
    plain = corrected(np.array(list(differences.values())), k=a.summary.k)
    return judged(Pair(a=at[0], b=at[1], differences=differences), plain, plain, metric, rope)


def judged(pair: Pair, reading: Student, plain: Student, metric: str, rope: float) -> Pair:
    """`pair` with what `reading` of its difference says, and the p-value of the `plain` corrected one beside."""
    higher = metric_of(metric).higher_is_better
    below, above = reading.below(-rope), reading.above(rope)
    value, half = reading.location, reading.half_width
    return replace(
        pair,
        places=len(pair.differences),
        repeats=len({repeat for repeat, _ in pair.differences}),
        difference=_interval(value, half, metric) if reading.known else Estimate(value, math.nan, math.nan),
        p=reading.p if reading.known else math.nan,
        corrected_p=plain.p if plain.known else math.nan,
        worse=below if higher else above,
        better=above if higher else below,
        equal=1 - below - above,
        above=reading.above(0.0) if higher else reading.below(0.0),
        higher_is_better=higher,
        detectable=math.inf if reading.detectable >= metric_of(metric).most_apart else reading.detectable,
    )


def _interval(value: float, half: float, metric: str) -> Estimate:
    """Bounds of a difference, none of which lies where no difference can."""
    most = metric_of(metric).most_apart
    return Estimate(value, max(value - half, -most), min(value + half, most))


def _needed(common: Common, rows: Rows | None, metric: str, rope: float, discordant_rows: int) -> int | None:
    if metric == ACCURACY:
        return images_for_accuracy(rope, discordance=discordant_rows / len(common.a))
    if rows is None:
        return None
    return images_by_scale(rope, images=common.images, scale=estimate_by_images(rows).scale)
