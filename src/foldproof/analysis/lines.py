"""Make a row of a comparison for each candidate, with its interval and whether its folds agree. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Disagreement, Line
from foldproof.analysis.intervals import interval_of
from foldproof.analysis.scoring import (
    ACCURACY,
    average_groups,
    fold_scores,
    pooled_scores,
    rows_by_fold,
)
from foldproof.analysis.statistics.homogeneity import FoldCurve, compare_curves, compare_scores
from foldproof.analysis.statistics.paired import holm
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread

DISAGREES = 0.01  # the Holm-adjusted p-value below which a fold is said to disagree


def lines_of(candidates: Sequence[Candidate], metric: str) -> list[Line]:
    """A line for each, in order. Folds disagree or not over all experiments shown (Holm)."""
    lines = [_line(candidate, scores_of(candidate, metric), metric) for candidate in candidates]
    return _with_disagreements(lines, candidates)


def scores_of(candidate: Candidate, metric: str) -> Mapping[FoldId, float]:
    """The score of every fold, from the predictions or, without them, from what the journals or a table say."""
    if candidate.table is not None:
        return fold_scores(candidate.table, metric)
    return {fold_id: scores[metric] for fold_id, scores in candidate.summary.scores_by_fold.items() if metric in scores}


def _line(candidate: Candidate, scores: Mapping[FoldId, float], metric: str) -> Line:
    table = candidate.table
    grouped = average_groups(table) if table is not None and (table.groups != "").any() else None
    return Line(
        **vars(candidate.summary),
        images=len(np.unique(table.sha256)) if table is not None else None,
        score=Spread.of(scores.values()),
        interval=interval_of(candidate, scores, metric),
        folds=scores,
        pooled=pooled_scores(table) if table is not None else {},
        pooled_by_group=pooled_scores(grouped) if grouped is not None else {},
        without_table=candidate.without_table,
    )


def _with_disagreements(lines: Sequence[Line], candidates: Sequence[Candidate]) -> list[Line]:
    by_outlier = compare_scores([candidate.summary.accuracy_by_fold for candidate in candidates])
    found = [
        outlier if curves is None else compare_curves(curves)
        for curves, outlier in zip(map(_curves, candidates), by_outlier, strict=True)
    ]
    adjusted = holm(np.array([item.p if item else math.nan for item in found], dtype=np.float64))
    return [
        replace(line, disagreement=Disagreement(**vars(item), adjusted=p, flagged=p < DISAGREES and item.matters))
        if item
        else line
        for line, item, p in zip(lines, found, adjusted.tolist(), strict=True)
    ]


def _curves(candidate: Candidate) -> Mapping[FoldId, FoldCurve] | None:
    """The accuracies of each fold, epoch by epoch where that is known, and on how many images.

    None where the images are not counted.
    """
    summary, units = candidate.summary, _units_by_fold(candidate)
    last = {fold_id: (value,) for fold_id, value in _last_accuracies(candidate).items() if math.isfinite(value)}
    curves = {fold_id: summary.curves.get(fold_id) or accuracies for fold_id, accuracies in last.items()}
    if not curves or not all(units.get(fold_id) for fold_id in curves):
        return None
    return {fold_id: FoldCurve(accuracies, units[fold_id]) for fold_id, accuracies in curves.items()}


def _units_by_fold(candidate: Candidate) -> Mapping[FoldId, int]:
    """Images, or groups of them, which are right or wrong together."""
    if candidate.table is None:
        return candidate.summary.images_by_fold
    return {fold_id: len(np.unique(candidate.table.units[rows])) for fold_id, rows in rows_by_fold(candidate.table)}


def _last_accuracies(candidate: Candidate) -> Mapping[FoldId, float]:
    return candidate.summary.accuracy_by_fold if candidate.table is None else fold_scores(candidate.table, ACCURACY)
