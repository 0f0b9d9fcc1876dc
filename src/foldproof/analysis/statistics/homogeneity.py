"""The folds of one experiment in; whether they say the same, and which is farthest from the others, out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import scipy

from foldproof.record import Place

CHI_SQUARED = "chi-squared test of equal accuracy"
OUTLIER = "outlier test on the scores"
LEAST_SPREAD = 0.005  # half a point


@dataclass(frozen=True)
class Homogeneity:
    """`p`: how often folds of equal models would lie apart as far. `place`: the fold farthest from the `others`."""

    test: str
    p: float
    place: Place
    score: float
    others: float


def by_counts(right: Mapping[Place, int], images: Mapping[Place, int]) -> Homogeneity | None:
    """The chi-squared test of equal proportions within each repeat; the least p, times the repeats. None where nothing
    can differ: fewer than two folds with images, or all right, or all wrong.
    """
    found = [
        _of_repeat({place: right[place] for place in places}, {place: images[place] for place in places})
        for places in _repeats([place for place in right if images[place]])
    ]
    known = [item for item in found if item is not None]
    if not known:
        return None
    least = min(known, key=lambda item: item.p)
    return Homogeneity(CHI_SQUARED, min(least.p * len(known), 1.0), least.place, least.score, least.others)


def _of_repeat(right: Mapping[Place, int], images: Mapping[Place, int]) -> Homogeneity | None:
    hits, total = sum(right.values()), sum(images.values())
    if len(right) < 2 or not 0 < hits < total:
        return None
    pooled = hits / total
    distance = {place: (right[place] - images[place] * pooled) / math.sqrt(images[place]) for place in right}
    chi_squared = sum(value**2 for value in distance.values()) / (pooled * (1 - pooled))
    # Of the others a fold differs by more than of the mean that it is part of.
    place = max(distance, key=lambda one: abs(distance[one]) / math.sqrt(1 - images[one] / total))
    return Homogeneity(
        CHI_SQUARED,
        float(scipy.special.chdtrc(len(right) - 1, chi_squared)),
        place,
        right[place] / images[place],
        (hits - right[place]) / (total - images[place]),
    )


def _repeats(places: Sequence[Place]) -> list[list[Place]]:
    return [[place for place in places if place[0] == repeat] for repeat in sorted({repeat for repeat, _ in places})]


def by_scores(experiments: Sequence[Mapping[Place, float]]) -> tuple[Homogeneity | None, ...]:
    """Where the images of a fold are not counted: each fold against the others of its experiment, as a t-test of one
    more observation, with a spread pooled over all experiments without that fold, and of at least half a point, which
    is what hundreds of images a fold leave to chance; the least p, times the folds.

    None for an experiment of fewer than three folds with a score.
    """
    scores = [{place: score for place, score in one.items() if math.isfinite(score)} for one in experiments]
    spreads = [_spread(list(one.values())) for one in scores]
    squares, df = math.fsum(spread for spread, _ in spreads), sum(freedom for _, freedom in spreads)
    return tuple(
        _farthest(mine, squares - spread, df - freedom) for mine, (spread, freedom) in zip(scores, spreads, strict=True)
    )


def _farthest(mine: Mapping[Place, float], squares: float, freedom: int) -> Homogeneity | None:
    """The fold of `mine` least like the others, where all other experiments vary by `squares` with `freedom`."""
    if len(mine) < 3:
        return None
    found = []
    for place, score in mine.items():
        rest = [other for at, other in mine.items() if at != place]
        spread, left = _spread(rest)
        others, df = math.fsum(rest) / len(rest), left + freedom
        variance = max((spread + squares) / df, LEAST_SPREAD**2) * (1 + 1 / len(rest))
        p = float(2 * scipy.special.stdtr(df, -abs(score - others) / math.sqrt(variance)))
        found.append(Homogeneity(OUTLIER, p, place, score, others))
    least = min(found, key=lambda item: item.p)
    return Homogeneity(OUTLIER, min(least.p * len(mine), 1.0), least.place, least.score, least.others)


def _spread(values: Sequence[float]) -> tuple[float, int]:
    """The sum of squares about the mean, and its degrees of freedom."""
    if not values:
        return 0.0, 0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values), len(values) - 1
