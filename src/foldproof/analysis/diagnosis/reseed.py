"""Compare a fold that was retrained with a different seed with its run: are its images odd or its training? Pure."""

import math

from foldproof.analysis.diagnosis import words
from foldproof.analysis.diagnosis.evidence import Diagnosis
from foldproof.analysis.statistics.shares import wilson_interval
from foldproof.events.fold_id import FoldId
from foldproof.records.facts import reseed_of
from foldproof.records.record import RunRecord, Spread

TIMES = 2.0  # standard errors: about 95 %


def reseeded(original: RunRecord, again: RunRecord) -> Diagnosis:
    """What a fold that was trained again says of the run it belongs to: `again` is a run of that fold alone.

    Its new score is near that of the other folds where it lies within twice their spread, and near its old one where
    that lies in its 95 % binomial interval. Near the others alone, its training made it differ; near its old score
    alone, its images. The spread is at least that of as many images drawn from one model.
    """
    which = reseed_of(again.facts)
    assert which is not None
    fold_id = FoldId(which.repeat, which.fold)
    others = Spread.of(original.epochs[other][-1].val_accuracy for other in original.finished if other != fold_id)
    missing = _missing(original, again, fold_id, others)
    if missing:
        return Diagnosis("reseed-open", f"{fold_id}: cannot tell, {missing}", fold_id=fold_id)
    before, now = original.epochs[fold_id][-1].val_accuracy, again.epochs[fold_id][-1].val_accuracy
    images = again.fold_started[fold_id].validation_images
    low, high = binomial_interval(now, images)
    reach = TIMES * _spread(others, images)
    evidence = {
        "before": before,
        "again": now,
        "others": others.mean,
        "others_within": reach,
        "images": images,
        "low": low,
        "high": high,
        "seed": int(again.facts["config"]["train"].get("seed", 0)),
    }
    differed, near_others, near_before = (
        abs(before - others.mean) > reach,
        abs(now - others.mean) <= reach,
        low <= before <= high,
    )
    told = (
        f"{fold_id} scored {words.percent(before)}, the others {words.percent(others.mean)}; "
        f"retrained with a different seed it scores {words.percent(now)}"
    )
    if not differed:
        code, meaning = "reseed-agrees", "it did not differ from the others by more than chance in the first place"
    elif near_others and not near_before:
        code, meaning = "reseed-training", "consistent with its training, not its images; look at the spread over seeds"
    elif near_before and not near_others:
        code, meaning = "reseed-images", "consistent with its images or labels; look at those it gets wrong"
    else:
        code, meaning = "reseed-open", "cannot tell; retrain it with one more seed"
    return Diagnosis(code, f"{told}: {meaning}", evidence, fold_id)


def binomial_interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of `count`."""
    if count < 1:
        return 0.0, 1.0
    return wilson_interval(share, count, TIMES)


def _spread(others: Spread, images: int) -> float:
    """How far one more fold usually lies from the mean of the others."""
    drawn = math.sqrt(others.mean * (1 - others.mean) / max(images, 1))
    sd = others.sd if math.isfinite(others.sd) else 0.0
    return max(sd, drawn) * math.sqrt(1 + 1 / others.n)


def _missing(original: RunRecord, again: RunRecord, fold_id: FoldId, others: Spread) -> str:
    """Why nothing can be said; empty where something can."""
    if fold_id not in again.finished:
        return "it was not trained to its end again"
    if fold_id not in original.finished:
        return f"it has no score in run {original.run}"
    if not others.n:
        return f"no other fold of run {original.run} has a score"
    return ""
