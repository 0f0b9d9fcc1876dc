"""Suggest the cheapest step that could decide a comparison which nothing decides yet. Pure."""

import math
from collections.abc import Sequence

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Line, Pair
from foldproof.analysis.pairing import find_common
from foldproof.analysis.rows import rows_of
from foldproof.analysis.statistics.paired import Rows, estimate_by_images, estimate_by_runs
from foldproof.analysis.statistics.student import Student
from foldproof.analysis.verdict import SURE, MetricUnit, names_of, winner_of
from foldproof.metrics import metric_of

REPEATS = 3  # proposed
WORTH = 0.9  # repeats are proposed where they bring the detectable difference below so much of what it is


def next_step(lines: Sequence[Line], pairs: Sequence[Pair], candidates: Sequence[Candidate], metric: str) -> str:
    """What to do first about a fold that disagrees; else what could decide between the two best averages. Empty where
    something decides already, or where nothing is known of images.

    More repeats are proposed only where they help: no variance is taken to fall, only the degrees of freedom to rise.
    """
    odd = next((line for line in lines if line.disagreement and line.disagreement.flagged and line.identity), None)
    if odd is not None and odd.disagreement is not None:
        repeats = odd.expected_folds // candidates[lines.index(odd)].summary.k
        where = odd.disagreement.fold_id.short(repeats=repeats)
        return f"next: `foldproof run {odd.experiment} --fold {where} --reseed` tells its images from its training"
    order = sorted(range(len(lines)), key=lambda at: _rank(lines[at], metric))
    pair = next((one for one in pairs if {one.a, one.b} == set(order[:2])), None)
    if pair is None or pair.not_comparable or winner_of(pair) is not None or pair.equal >= SURE:
        return ""
    if any(not line.identity for line in (lines[pair.a], lines[pair.b])):
        return ""  # somebody else's: nothing here could train it
    if max(candidates[at].summary.expected_folds for at in (pair.a, pair.b)) == 1:
        return "next: several folds, made by foldproof (folds.scheme: stratified), can tell chance from more"
    if math.isnan(pair.detectable):
        return "next: `foldproof run --resume` trains the folds that are missing"
    rows = _rows(candidates[pair.a], candidates[pair.b], metric)
    if rows is None:
        return ""
    unit, names = MetricUnit.of(metric), names_of(lines)
    seen = _with_repeats(rows, pair)
    if any(candidates[at].summary.scheme != "stratified" for at in (pair.a, pair.b)):
        return "next: more images; folds that the data say cannot be repeated"
    if seen >= metric_of(metric).most_apart:
        return "next: more images; repeats cannot make up for so few"
    if pair.repeats < REPEATS and seen <= WORTH * pair.detectable:
        both = dict.fromkeys(lines[at].experiment for at in (pair.a, pair.b))
        how = (
            f"`foldproof run {' '.join(both)} --repeats {REPEATS}`" if len(both) == 2 else f"{REPEATS} repeats of both"
        )
        between = f"between {names[pair.a]} and {names[pair.b]}"
        return f"next: {how} would see differences of about {unit.gap(seen)} {between}"
    return f"next: more images; more repeats would still only see differences of about {unit.gap(seen)}"


def _rows(a: Candidate, b: Candidate, metric: str) -> Rows | None:
    if a.table is None or b.table is None:
        return None
    common = find_common(a.table, b.table)
    return None if isinstance(common, str) else rows_of(common, metric)


def _with_repeats(rows: Rows, pair: Pair) -> float:
    runs = estimate_by_runs(rows)
    trained = pair.places / pair.repeats * max(REPEATS, pair.repeats)
    return max(estimate_by_images(rows).detectable, Student(runs.location, runs.scale, trained - 1).detectable)


def _rank(line: Line, metric: str) -> float:
    mean = line.score.mean
    return math.inf if math.isnan(mean) else (-mean if metric_of(metric).higher_is_better else mean)
