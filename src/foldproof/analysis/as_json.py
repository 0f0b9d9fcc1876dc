"""Render a comparison as plain JSON values. Schema version 2."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foldproof.analysis.comparison import Comparison, Estimate, Line, Pair, Verdict
from foldproof.analysis.summary import finite, spread_json
from foldproof.events.fold_id import FoldId

SCHEMA_VERSION = 2


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """One JSON document; what is not known is null. Scores and differences are in the metric's own units."""
    runs = [line.run for line in comparison.lines]
    return {
        "v": SCHEMA_VERSION,
        "metric": comparison.metric,
        "rope": comparison.rope,
        "verdict": _verdict(comparison.verdict, runs),
        "can_be_best": [runs[at] for at in comparison.can_be_best],
        "cheapest_that_can_be_best": None if comparison.cheapest is None else runs[comparison.cheapest],
        "expected_optimism_of_the_best": finite(comparison.optimism),
        "experiments_scored_on_these_images": comparison.scored_on_this_data,
        "unverified": comparison.unverified or None,
        "same_images": comparison.same_images,
        "same_folds": comparison.same_folds,
        "differing": list(comparison.differing),
        "runs": [_line(line) for line in comparison.lines],
        "pairs": [_pair(pair, runs) for pair in comparison.pairs],
    }


def _line(line: Line) -> dict[str, Any]:
    found = line.disagreement
    return {
        "run": line.run,
        "experiment": line.experiment,
        "identity": line.identity,
        "status": line.status,
        "folds_expected": line.expected_folds,
        "settings": dict(line.settings),
        "images": line.images,
        "score": spread_json(line.score),
        "interval_95": _bounds(line.interval),
        "accuracy": spread_json(line.accuracy),
        "loss": spread_json(line.loss),
        "best_epoch_accuracy_optimistic": spread_json(line.best_epoch_accuracy),
        "best_epoch_loss_optimistic": spread_json(line.best_epoch_loss),
        "pooled": _finite(line.pooled),
        "pooled_by_group": _finite(line.pooled_by_group),
        "seconds": line.seconds,
        "predictions": line.without_table or "used",
        "disagreement": None
        if found is None
        else {
            "test": found.test,
            "p": found.p,
            "p_holm": found.adjusted,
            "repeat": found.fold_id.repeat,
            "fold": found.fold_id.fold,
            "accuracy": found.score,
            "accuracy_of_the_others": found.others,
            "epochs": found.epochs,
            "disagrees": found.flagged,
        },
        "folds": [
            {
                "repeat": fold_id.repeat,
                "fold": fold_id.fold,
                "score": finite(line.folds.get(fold_id, math.nan)),
                "accuracy": finite(line.accuracy_by_fold.get(fold_id, math.nan)),
            }
            for fold_id in sorted({*line.folds, *line.accuracy_by_fold})
        ],
    }


def _pair(pair: Pair, runs: Sequence[str]) -> dict[str, Any]:
    return {
        "a": runs[pair.a],
        "b": runs[pair.b],
        "not_comparable": pair.not_comparable or None,
        "verdict": _verdict(pair.verdict, runs),
        "difference": finite(pair.difference.value),
        "interval_95": _bounds(pair.difference),
        "differences": _by_fold(pair.differences),
        "p": finite(pair.p),
        "p_holm": finite(pair.adjusted),
        "p_corrected_t": finite(pair.corrected_p),
        "P_a_worse": finite(pair.worse),
        "P_equal": finite(pair.equal),
        "P_a_better": finite(pair.better),
        "common_images": pair.common_images,
        "images_only_in_a": pair.only_in_a,
        "images_only_in_b": pair.only_in_b,
        "only_a_right": pair.only_a_right,
        "only_b_right": pair.only_b_right,
        "detectable_difference": finite(pair.detectable),
        "images_needed_for_the_rope": pair.images_needed,
    }


def _verdict(verdict: Verdict | None, runs: Sequence[str]) -> dict[str, Any] | None:
    if verdict is None:
        return None
    winner = None if verdict.winner is None else runs[verdict.winner]
    return {"word": verdict.word, "text": verdict.text, "notes": list(verdict.notes), "better": winner}


def _bounds(interval: Estimate) -> list[float | None]:
    return [finite(interval.low), finite(interval.high)]


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: finite(value) for name, value in values.items()}


def _by_fold(values: Mapping[FoldId, float]) -> list[dict[str, Any]]:
    return [
        {"repeat": fold_id.repeat, "fold": fold_id.fold, "value": finite(value)} for fold_id, value in values.items()
    ]
