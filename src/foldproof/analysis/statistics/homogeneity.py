"""The folds of one experiment in; whether they say the same, and which is farthest from the others, out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foldproof.record import Place

CHI_SQUARED = "chi-squared test of equal accuracy"
OUTLIER = "outlier test on the scores"


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
        float(special.chdtrc(len(right) - 1, chi_squared)),
        place,
        right[place] / images[place],
        (hits - right[place]) / (total - images[place]),
    )


def _repeats(places: Sequence[Place]) -> list[list[Place]]:
    return [[place for place in places if place[0] == repeat] for repeat in sorted({repeat for repeat, _ in places})]


def by_scores(experiments: Sequence[Mapping[Place, float]]) -> tuple[Homogeneity | None, ...]:
    """Where the images of a fold are not counted: each fold against the others of its experiment, as a t-test of one
    more observation, with a spread pooled over all experiments without that fold; the least p, times the folds.

    None for an experiment of fewer than three folds with a score.
    """
    scores = [{place: score for place, score in one.items() if math.isfinite(score)} for one in experiments]
    return tuple(_farthest(number, scores) for number in range(len(scores)))


def _farthest(number: int, experiments: Sequence[Mapping[Place, float]]) -> Homogeneity | None:
    mine = experiments[number]
    if len(mine) < 3:
        return None
    elsewhere = [_about_mean(list(one.values())) for position, one in enumerate(experiments) if position != number]
    found = []
    for place, score in mine.items():
        rest = [other for at, other in mine.items() if at != place]
        spread = np.concatenate([_about_mean(rest), *elsewhere])
        df = len(rest) - 1 + sum(max(len(one) - 1, 0) for one in elsewhere)
        variance = float((spread**2).sum()) / df * (1 + 1 / len(rest))
        away = score - math.fsum(rest) / len(rest)
        if abs(away) < 1e-12:
            p = 1.0
        else:
            p = float(2 * special.stdtr(df, -abs(away) / math.sqrt(variance))) if variance > 0 else 0.0
        found.append(Homogeneity(OUTLIER, p, place, score, math.fsum(rest) / len(rest)))
    least = min(found, key=lambda item: item.p)
    return Homogeneity(OUTLIER, min(least.p * len(mine), 1.0), least.place, least.score, least.others)


def _about_mean(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)
    return array - array.mean() if len(array) else array
