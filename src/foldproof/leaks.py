"""The leak atlas: a score under a naive random split minus the score under leak-proof folds, with its interval.

A naive split deals images one by one; leak-proof folds keep groups and duplicates whole. Both are scored on the same
images with the same frozen features and two cheap classifiers: a linear one, which is what a trained head is, and the
nearest neighbour, which remembers its training images and so shows leaks most.
"""

import hashlib
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset, are_uneven
from foldproof.data.survey import Progress, no_progress
from foldproof.folds import Scheme, assign
from foldproof.provenance.machine import available_cores

SCHEMA_VERSION = 1
MOST_IMAGES = 10_000
DRAWS = 10_000
LEVEL = 0.95
LINEAR, NEAREST = "linear", "nearest neighbour"

Positions: TypeAlias = NDArray[np.int64]

_PART = 64  # images that are compared with all at once
_STRENGTH = 0.01  # inverse L2 penalty of the linear classifier on standardised features


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Score:
    """One score under both splits, as fractions; `gap` is naive minus leak-proof."""

    naive: float
    leak_proof: float
    gap: Interval

    def to_json(self) -> dict[str, Any]:
        return {"naive": self.naive, "leak_proof": self.leak_proof, "gap": self.gap.to_json()}


@dataclass(frozen=True)
class Gap:
    """What one classifier gains from the leak. `by_class`: the recall of each class, in the order of the classes."""

    classifier: str
    accuracy: Score
    balanced_accuracy: Score
    by_class: tuple[Score, ...]


@dataclass(frozen=True)
class Leak:
    """How much better a naive split makes a data set look.

    `with_mate`: images that must not be separated from another one. `metric`: the score that `verdict` is about,
    balanced accuracy where the largest class has more than 3 times the images of the smallest.
    """

    classes: tuple[str, ...]
    images: int
    units: int
    with_mate: int
    k: int
    repeats: int
    seed: int
    metric: str
    gaps: tuple[Gap, ...]

    @property
    def verdict(self) -> str:
        """In words; a leak is only claimed where an interval lies above 0 and two images are mates at all."""
        for gap in self.gaps:
            score = self.score(gap)
            if self.with_mate and score.gap.low > 0:
                points = f"{100 * score.gap.value:.1f} points of {self.metric}"
                bounds = f"{100 * score.gap.low:.1f} to {100 * score.gap.high:.1f}"
                return f"the naive split is too optimistic by about {points} ({bounds}; {gap.classifier} classifier)"
        return "no leak that this can see"

    def score(self, gap: Gap) -> Score:
        """The score of `gap` that the verdict is about."""
        return gap.accuracy if self.metric == "accuracy" else gap.balanced_accuracy

    def to_json(self) -> dict[str, Any]:
        return {
            "v": SCHEMA_VERSION,
            "verdict": self.verdict,
            "images": self.images,
            "units": self.units,
            "with_mate": self.with_mate,
            "k": self.k,
            "repeats": self.repeats,
            "seed": self.seed,
            "metric": self.metric,
            "level": LEVEL,
            "gaps": [
                {
                    "classifier": gap.classifier,
                    "accuracy": gap.accuracy.to_json(),
                    "balanced_accuracy": gap.balanced_accuracy.to_json(),
                    "recall": {name: score.to_json() for name, score in zip(self.classes, gap.by_class, strict=True)},
                }
                for gap in self.gaps
            ],
        }


def sample_units(units: Positions, *, most: int = MOST_IMAGES) -> Positions:
    """Manifest positions, ascending, of whole units until there are `most` images: enough to see a leak by.

    Units are taken in manifest order, which is by content hash; single images would lose the mates that leak.
    """
    _, first, number, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    taken = order[np.cumsum(sizes[order]) <= most]
    return np.flatnonzero(np.isin(number.reshape(-1), taken))


def leak_of(
    dataset: Dataset,
    features: NDArray[np.float32],
    units: Positions,
    *,
    k: int,
    seed: int,
    repeats: int = 3,
    progress: Progress = no_progress,
) -> Leak:
    """The leak that shows in `features`: [image in manifest order, feature] float32. Pure.

    `units`: [image] int64, images with one number are never separated by leak-proof folds. `progress` hears (what is
    done, steps done, steps).

    In each repeat every image is predicted once under either split, by models that did not see it; the leak is the
    mean over images and repeats of (right under the naive split) minus (right under leak-proof folds). The two splits
    share images, not folds, so the corrected resampled t, which pairs by fold, does not apply. The interval is a
    bootstrap of 10,000 draws over units and over repeats at once: units, because images of one group are not
    independent; repeats, because another cut is another answer. (Owen 2007, the pigeonhole bootstrap: its variance is
    never too small.) Raises FoldsError where a class has too few units for `k` folds.
    """
    splits = [*(naive(dataset, k=k, seed=seed, repeat=repeat) for repeat in range(repeats))]
    splits += [assign(dataset, Scheme(k, seed), repeat=repeat).fold_of for repeat in range(repeats)]
    labels, number = dataset.labels, np.unique(units, return_inverse=True)[1].reshape(-1)
    table = _standardised(features)
    right = {
        LINEAR: _linear(table, labels, splits, k, progress),
        NEAREST: _nearest(table, labels, splits, progress),
    }
    sizes = np.bincount(labels, minlength=len(dataset.classes))
    return Leak(
        classes=dataset.classes,
        images=len(dataset),
        units=int(number.max()) + 1,
        with_mate=int(np.count_nonzero(np.bincount(number)[number] > 1)),
        k=k,
        repeats=repeats,
        seed=seed,
        metric="balanced accuracy" if are_uneven(sizes.tolist()) else "accuracy",
        gaps=tuple(_gap(name, hits, labels, number, repeats, seed) for name, hits in right.items()),
    )


def naive(dataset: Dataset, *, k: int, seed: int, repeat: int) -> Positions:
    """The fold of each image, dealt class by class in an order by hash, whatever it belongs to.  # [image]"""
    fold_of = np.empty(len(dataset), dtype=np.int64)
    ranks = [
        hashlib.blake2b(f"naive 1 {seed} {repeat} {sample.sha256}".encode(), digest_size=8).digest()
        for sample in dataset.samples
    ]
    order = sorted(range(len(dataset)), key=lambda position: (dataset.samples[position].label, ranks[position]))
    fold_of[order] = np.arange(len(dataset)) % k
    return fold_of


def _standardised(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean 0 and deviation 1 over all images: labels play no part, and either split sees the same numbers."""
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    table: NDArray[np.float32] = ((features - mean) / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)
    return table


def _linear(
    table: NDArray[np.float32], labels: Positions, splits: list[Positions], k: int, progress: Progress
) -> NDArray[np.bool_]:
    """Whether a multinomial logistic regression of the other folds is right.  # [split, image]"""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    right = np.zeros((len(splits), len(labels)), dtype=np.bool_)
    jobs = [(index, fold) for index in range(len(splits)) for fold in range(k)]

    def fit(job: tuple[int, int]) -> None:
        index, fold = job
        test = splits[index] == fold
        model = LogisticRegression(C=_STRENGTH, max_iter=200, tol=1e-3).fit(table[~test], labels[~test])
        right[index, test] = model.predict(table[test]) == labels[test]

    # Several fits of one thread each: the products are too small for several threads, which spin beside a neighbour.
    with (
        threadpool_limits(1, user_api="blas"),
        warnings.catch_warnings(),
        ThreadPoolExecutor(available_cores()) as pool,
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for done, _ in enumerate(pool.map(fit, jobs), start=1):
            progress("linear classifiers", done, len(jobs))
    return right


def _nearest(
    table: NDArray[np.float32], labels: Positions, splits: list[Positions], progress: Progress
) -> NDArray[np.bool_]:
    """Whether the most alike image (cosine) of the other folds has the same class.  # [split, image]"""
    length = np.linalg.norm(table, axis=1, keepdims=True)
    rows = table / np.where(length > 0, length, 1.0)
    right = np.zeros((len(splits), len(labels)), dtype=np.bool_)
    for start in range(0, len(rows), _PART):
        block = slice(start, start + _PART)
        alike = rows[block] @ rows.T
        for index, fold_of in enumerate(splits):
            allowed = np.where(fold_of[block, None] == fold_of, -np.inf, alike)
            right[index, block] = labels[allowed.argmax(axis=1)] == labels[block]
        progress("nearest neighbours", min(start + _PART, len(rows)), len(rows))
    return right


def _gap(
    classifier: str, right: NDArray[np.bool_], labels: Positions, units: Positions, repeats: int, seed: int
) -> Gap:
    """`right`: [naive repeats, then leak-proof ones; image]."""
    classes = int(labels.max()) + 1
    difference = right[:repeats].astype(np.int64) - right[repeats:]
    sums = np.zeros((repeats, int(units.max()) + 1, classes))  # [repeat, unit, class]
    for repeat in range(repeats):
        np.add.at(sums[repeat], (units, labels), difference[repeat])
    counts = np.zeros(sums.shape[1:])
    np.add.at(counts, (units, labels), 1)
    drawn = np.concatenate([*_draws(sums, counts, seed)])  # [draw, 2 + class] accuracy, balanced accuracy, recalls
    exact = [_scores(half.sum(axis=0) / repeats, labels) for half in (right[:repeats], right[repeats:])]
    tail = (1 - LEVEL) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a class that no draw has
        low, high = np.nanquantile(drawn, (tail, 1 - tail), axis=0)
    scores = [
        Score(float(one), float(other), Interval(float(one - other), float(a), float(b)))
        for one, other, a, b in zip(*exact, low, high, strict=True)
    ]
    return Gap(classifier, scores[0], scores[1], tuple(scores[2:]))


def _scores(right: NDArray[np.float64], labels: Positions) -> NDArray[np.float64]:
    recall = np.bincount(labels, weights=right) / np.bincount(labels)
    return np.array([right.mean(), recall.mean(), *recall])


def _draws(sums: NDArray[np.float64], counts: NDArray[np.float64], seed: int) -> Iterator[NDArray[np.float64]]:
    """Gaps of bootstrap draws over units and repeats, in parts that fit into memory.  # [draw, 2 + class] each"""
    random = np.random.default_rng(seed)
    repeats, units, classes = sums.shape
    part = max(1, min(DRAWS, 10_000_000 // units))
    flat = np.concatenate(
        [sums.transpose(1, 0, 2).reshape(units, -1), counts], axis=1
    )  # [unit, repeats x class + class]
    for start in range(0, DRAWS, part):
        draws = min(part, DRAWS - start)
        weights = random.multinomial(units, np.full(units, 1 / units), size=draws).astype(np.float64)
        of_repeats = random.multinomial(repeats, np.full(repeats, 1 / repeats), size=draws) / repeats
        both = weights @ flat
        gained = np.einsum("dr,drc->dc", of_repeats, both[:, : repeats * classes].reshape(draws, repeats, classes))
        held = both[:, repeats * classes :]
        recall = np.divide(gained, held, out=np.full(gained.shape, np.nan), where=held > 0)
        balanced = np.nansum(recall, axis=1) / np.maximum((held > 0).sum(axis=1), 1)
        yield np.column_stack([gained.sum(axis=1) / held.sum(axis=1), balanced, recall])
