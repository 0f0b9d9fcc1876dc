"""Scores of folds that somebody else measured in; contenders, known by these scores alone, out. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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
    is_percentage: bool = False  # written with a percent sign
    settings: Mapping[str, Any] = field(default_factory=dict)


def contenders_of_scores(scores: Sequence[FoldScore], *, metric: str, factor: float | None = None) -> list[Contender]:
    """A contender an experiment, in the order in which they first come. `factor`: makes fractions of the scores.

    Without it, the scores of an experiment are taken for percentages where any is above 1, or where they were written
    so. Raises DamagedFile where a fold comes twice, or where a score is neither a fraction nor a percentage.
    """
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
    k = max((_folds_a_repeat(folds) for folds in by_experiment.values()), default=2)
    factors = {name: factor or _factor(name, folds.values()) for name, folds in by_experiment.items()}
    return [_contender(name, folds, k, metric, factors[name]) for name, folds in by_experiment.items()]


def one_scale(scores: Sequence[FoldScore], *, name: str) -> tuple[float, str]:
    """What makes fractions of all scores of a file called `name`, and how that is said where they are percentages.

    Raises DamagedFile where some experiments have fractions and others percentages: 0.9 beside 93.5 can be either.
    """
    signed, most = None, dict[str, FoldScore]()
    for row in scores:
        if not math.isfinite(row.score):
            continue
        _factor(row.experiment, [row])
        if row.is_percentage:
            signed = row
        elif row.experiment not in most or most[row.experiment].score < row.score:
            most[row.experiment] = row
    low = next((row for row in most.values() if row.score <= 1), None)
    high = max((row for row in most.values() if row.score > 1), key=lambda row: row.score, default=None)
    percentage = signed or high
    if low is not None and percentage is not None:
        raise DamagedFile(
            f"{name} has {_told(low)} and {_told(percentage)}: is the first a fraction or a percentage?",
            next_step="one scale for a file: fractions, or percentages each with its sign %",
        )
    if percentage is None:
        return 1.0, ""
    return 0.01, f"; scores taken for percentages, as {high.score:g} says" if high and not signed else ""


def _told(row: FoldScore) -> str:
    return f"{row.score:g}{' %' if row.is_percentage else ''} of '{cleaned(row.experiment, most=40)}'"


def _folds_a_repeat(folds: Mapping[Place, FoldScore]) -> int:
    return max(Counter(repeat for repeat, _ in folds).values())


def _factor(name: str, rows: Collection[FoldScore]) -> float:
    known = [row.score for row in rows if math.isfinite(row.score)]
    if known and not (min(known) >= 0 and max(known) <= 100):
        raise DamagedFile(
            f"{cleaned(name, most=60)}: {min(known):g} to {max(known):g} are neither fractions nor percentages",
            next_step="give accuracies as fractions (0 to 1) or percentages (0 to 100)",
        )
    return 0.01 if any(row.is_percentage for row in rows) or max(known, default=0.0) > 1 else 1.0


def _contender(name: str, folds: Mapping[Place, FoldScore], k: int, metric: str, factor: float) -> Contender:
    scores = {place: factor * folds[place].score for place in sorted(folds)}
    known = {place: score for place, score in scores.items() if math.isfinite(score)}
    repeats = len({repeat for repeat, _ in folds})
    summary = Summary(
        run=name,
        experiment=name,
        identity="",
        fingerprint="",
        folds_digest="",
        status="finished" if len(known) == len(scores) else "failed",
        k=max(k, 2),
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
