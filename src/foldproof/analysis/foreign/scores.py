"""Scores of folds that somebody else measured in; contenders, known by these scores alone, out. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foldproof.analysis.contender import Contender
from foldproof.analysis.summary import Summary
from foldproof.errors import DamagedFile
from foldproof.record import Place, Spread
from foldproof.storage import cleaned

MOST_FOLDS = 1000
_NO_TABLE = "only the scores of its folds are known"
_NOTHING = Spread(math.nan, math.nan, 0)


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """The score of one fold, a fraction or a percentage as it was written. `images`: of the fold, where known."""

    experiment: str
    repeat: int
    fold: int
    score: float
    images: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def contenders_of_scores(scores: Sequence[FoldScore], *, metric: str) -> list[Contender]:
    """A contender an experiment, in the order in which they first come.

    Scores are taken for percentages where any is above 1. Raises DamagedFile where a fold comes twice, or where a score
    is neither a fraction nor a percentage.
    """
    factor = _factor([row.score for row in scores])
    by_experiment: dict[str, dict[Place, FoldScore]] = {}
    for row in scores:
        folds = by_experiment.setdefault(cleaned(row.experiment, most=100), {})
        place = row.repeat, row.fold
        if place in folds:
            raise DamagedFile(
                f"fold {row.fold} of '{cleaned(row.experiment, most=60)}' comes twice",
                next_step="a row a fold of an experiment; give several repeats a column `repeat`",
            )
        folds[place] = row
    return [_contender(name, folds, factor, metric) for name, folds in by_experiment.items()]


def _factor(scores: Sequence[float]) -> float:
    known = [score for score in scores if math.isfinite(score)]
    if known and not (min(known) >= 0 and max(known) <= 100):
        raise DamagedFile(
            f"scores from {min(known):g} to {max(known):g}: neither fractions nor percentages",
            next_step="give accuracies as fractions (0 to 1) or percentages (0 to 100)",
        )
    return 0.01 if known and max(known) > 1 else 1.0


def _contender(name: str, folds: Mapping[Place, FoldScore], factor: float, metric: str) -> Contender:
    scores = {place: factor * folds[place].score for place in sorted(folds)}
    known = {place: score for place, score in scores.items() if math.isfinite(score)}
    repeats = len({repeat for repeat, _ in folds})
    k = max(round(len(folds) / repeats), 2)
    summary = Summary(
        run=name,
        experiment=name,
        identity="",
        fingerprint="",
        folds_digest="",
        status="finished" if len(known) == len(scores) else "failed",
        k=k,
        repeats=repeats,
        settings=next(iter(folds.values())).settings,
        accuracy=Spread.of(known.values()),
        loss=_NOTHING,
        best_epoch_accuracy=_NOTHING,
        best_epoch_loss=_NOTHING,
        accuracy_by_fold=known,
        scores_by_fold={place: {metric: score} for place, score in known.items()},
        images_by_fold={place: images for place in known if (images := folds[place].images)},
        seconds=None,
    )
    return Contender(summary, None, _NO_TABLE)
