"""Experiments without training: who is right about which image in; tables of predictions and candidates out."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.scoring import fold_scores
from foldproof.analysis.summary import Summary
from foldproof.records.record import Spread

NOTHING = Spread(math.nan, math.nan, 0)


def folds_of(images: int, *, k: int = 5, repeats: int = 1, seed: int = 0) -> NDArray[np.int64]:
    """[repeat, image]: folds of nearly equal size, dealt at random."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(np.arange(images) % k) for _ in range(repeats)])


def table(
    right: NDArray[np.bool_],  # [repeat, image]
    folds: NDArray[np.int64],  # [repeat, image]
    *,
    classes: Sequence[str] = ("cat", "dog"),
    names: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    labels: NDArray[np.int64] | None = None,
) -> OutOfFold:
    """Predictions that are sure, and right where `right` says so; a wrong one names the next class."""
    repeats, images = right.shape
    number = np.arange(images) % len(classes) if labels is None else labels
    predicted = np.where(right, number, (number + 1) % len(classes)).ravel()
    probabilities = np.full((repeats * images, len(classes)), 0.1 / max(len(classes) - 1, 1), dtype=np.float32)
    probabilities[np.arange(len(predicted)), predicted] = 0.9
    ids = np.array([f"{at:064x}" for at in range(images)] if names is None else list(names), dtype=np.str_)
    return OutOfFold(
        classes=tuple(classes),
        paths=np.tile(np.char.add(ids, ".png"), repeats),
        sha256=np.tile(ids, repeats),
        groups=np.tile(np.array(groups if groups is not None else [""] * images, dtype=np.str_), repeats),
        labels=np.tile(number, repeats).astype(np.int64),
        repeats=np.repeat(np.arange(repeats), images).astype(np.int64),
        folds=folds.ravel().astype(np.int64),
        probabilities=probabilities,
    )


def candidate(
    name: str, of: OutOfFold | None, *, scores: dict[tuple[int, int], float] | None = None, k: int = 5
) -> Candidate:
    """A candidate called `name`; its journals say what its table says, or `scores`."""
    by_fold = fold_scores(of, "accuracy") if of is not None else dict(scores or {})
    repeats = max((repeat for repeat, _ in by_fold), default=0) + 1
    summary = Summary(
        run=f"run-{name}",
        experiment=name,
        identity=name,
        fingerprint="images",
        folds_digest="folds",
        status="finished" if len(by_fold) == k * repeats else "failed",
        k=k,
        repeats=repeats,
        settings={"train.lr": len(name)},
        accuracy=Spread.of(by_fold.values()),
        loss=NOTHING,
        best_epoch_accuracy=NOTHING,
        best_epoch_loss=NOTHING,
        accuracy_by_fold=by_fold,
        scores_by_fold={place: {"accuracy": score} for place, score in by_fold.items()},
        images_by_fold={},
        seconds=60.0,
    )
    return Candidate(summary, of, "" if of is not None else "no table")


def drawn(accuracy: float, images: int, *, repeats: int = 1, seed: int = 0) -> NDArray[np.bool_]:
    """Each image right with this probability, in each repeat anew."""
    return np.random.default_rng(seed).random((repeats, images)) < accuracy


def alike(right: NDArray[np.bool_], *, better_by: float, discordance: float, seed: int) -> NDArray[np.bool_]:
    """Another experiment, right about other images: of the images, `discordance` differ, and it gains `better_by`."""
    rng = np.random.default_rng([seed, 1])  # its own chance, whatever the first was drawn with
    chance = rng.random(right.shape)
    gained, lost = (discordance + better_by) / 2, (discordance - better_by) / 2
    share = right.mean()
    return np.where(right, chance >= lost / share, chance < gained / (1 - share))
