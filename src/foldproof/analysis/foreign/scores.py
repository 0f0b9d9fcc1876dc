"""Make candidates of fold scores that were measured elsewhere and are known by these scores only. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.scoring import ACCURACY
from foldproof.analysis.summary import Summary
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread
from foldproof.storage import cleaned

MOST_FOLDS = 1000
_NO_TABLE = "only the scores of its folds are known"


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


def one_scale(scores: Sequence[FoldScore], name: str) -> tuple[list[FoldScore], str]:
    """The scores of a file, all on one scale, and what was assumed where they are percentages.

    Raises DamagedFile where some experiments have percentages, and others what could be either.
    """
    most: dict[str, float] = {}
    signed: set[str] = set()
    for row in scores:
        most[row.experiment] = max(most.get(row.experiment, 0.0), row.score if math.isfinite(row.score) else 0.0)
        signed |= {row.experiment} if row.is_percentage else set()
    sure = {experiment for experiment, score in most.items() if score > 1} | signed
    if not sure:
        return list(scores), ""
    other = next((one for one, score in most.items() if score > 0 and one not in sure), None)
    if other is not None:
        raise DamagedFile(
            f"{name}: '{cleaned(other, most=60)}' has scores up to {most[other]:g}, others have percentages:"
            " is that a fraction, or below 1 %?",
            next_step="write every score with a % sign, or every one as a fraction",
        )
    why = "as they are written" if signed else f"the highest is {max(most.values()):g}"
    return [replace(row, is_percentage=True) for row in scores], f", percentages: {why}"


def scales(scores: Sequence[FoldScore]) -> str:
    """Which experiments are taken for percentages, since one of their scores is above 1; empty where none is."""
    above = {row.experiment for row in scores if math.isfinite(row.score) and row.score > 1}
    others = {row.experiment for row in scores} - above
    if not above:
        return ""
    shown = sorted(cleaned(name, most=60) for name in above)
    whose = f" of {', '.join(shown[:3])}" + (f" and {len(shown) - 3} more" if len(shown) > 3 else "") if others else ""
    return f"scores{whose} above 1 are percentages" + (", the others fractions" if others else "")


def candidates_of_scores(scores: Sequence[FoldScore], *, metric: str) -> list[Candidate]:
    """A candidate an experiment, in the order in which they first come.

    The scores of an experiment are taken for percentages where any is above 1, or where they were written so. Raises
    DamagedFile where a fold appears twice, or where a score is neither a fraction nor a percentage.
    """
    by_experiment: dict[str, dict[FoldId, FoldScore]] = {}
    for row in scores:
        folds = by_experiment.setdefault(cleaned(row.experiment, most=100), {})
        fold_id = FoldId(row.repeat, row.fold)
        if fold_id in folds:
            raise DamagedFile(
                f"{fold_id} of '{cleaned(row.experiment, most=60)}' appears twice",
                next_step="a row a fold of an experiment; give several repeats a column `repeat`",
            )
        folds[fold_id] = row
    k = max((_folds_a_repeat(folds) for folds in by_experiment.values()), default=2)
    return [_candidate(name, folds, k, metric) for name, folds in by_experiment.items()]


def _folds_a_repeat(folds: Mapping[FoldId, FoldScore]) -> int:
    return max(Counter(repeat for repeat, _ in folds).values())


def _factor(name: str, rows: Collection[FoldScore]) -> float:
    known = [row.score for row in rows if math.isfinite(row.score)]
    if known and not (min(known) >= 0 and max(known) <= 100):
        raise DamagedFile(
            f"{cleaned(name, most=60)}: {min(known):g} to {max(known):g} are neither fractions nor percentages",
            next_step="give accuracies as fractions (0 to 1) or percentages (0 to 100)",
        )
    return 0.01 if any(row.is_percentage for row in rows) or max(known, default=0.0) > 1 else 1.0


def _candidate(name: str, folds: Mapping[FoldId, FoldScore], k: int, metric: str) -> Candidate:
    factor = _factor(name, folds.values())
    scores = {fold_id: factor * folds[fold_id].score for fold_id in sorted(folds)}
    known = {fold_id: score for fold_id, score in scores.items() if math.isfinite(score)}
    repeats = len({repeat for repeat, _ in folds})
    summary = Summary(
        run=name,
        experiment=name,
        status="finished" if len(known) == len(scores) else "failed",
        k=max(k, 2),
        repeats=repeats,
        settings=next(iter(folds.values())).settings,
        accuracy=Spread.of(known.values() if metric == ACCURACY else ()),
        accuracy_by_fold=known if metric == ACCURACY else {},
        scores_by_fold={fold_id: {metric: score} for fold_id, score in known.items()},
        images_by_fold={fold_id: images for fold_id in known if (images := folds[fold_id].images)},
    )
    return Candidate(summary, None, _NO_TABLE)
