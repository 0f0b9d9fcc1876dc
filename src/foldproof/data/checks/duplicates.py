"""Group copies and near-duplicates that must never straddle folds. Pure.

*Exact*: the decoded, upright pixels are equal. *Near*: the perceptual hashes are within DISTANCE bits, and the grey
thumbnails, one of them perhaps slightly cropped, correlate by at least CONFIRMED; or by at least CROWDED, where a
picture has so many lookalikes that they are alike things rather than copies. benchmarks/near_duplicates.md calibrates
these figures.

Near copies gather around one representative, never in chains: a chain of pictures that resemble their neighbours eats a
whole set of alike things. Arithmetic is that of `likeness`: the same bits on every machine.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.data.likeness import COARSE, EDGE, Crops, coarse, spread

DISTANCE = 14  # bits of 64
CONFIRMED, CROWDED = 0.93, 0.95
SHORTEST = 64  # pixels: a shorter side says too little to tell alike from the same
FLATTEST = 2.0  # grey levels, standard deviation over a thumbnail: blank pictures all look alike
LARGEST = 10  # distinct pictures of a near cluster that is applied; or 1 % of its class, if that is more

_GLIMPSE = int(0.8 * COARSE**2)  # 8 x 8 pixels must correlate by about as much before a closer look is worth it
_ROWS, _COLUMNS = 64, 4096  # of a tile of comparisons
_BATCH = 256  # representatives whose comparisons are held at a time
_LOOK = 64  # thumbnails in a first closer look
_NONE = np.uint8(255)


@dataclass(frozen=True)
class Looks:
    """What is known of each image, a row an image, in manifest order."""

    pixels: Sequence[str]  # digest of the decoded upright pixels: equal = same pixels
    phash: NDArray[np.uint64]
    thumbnails: NDArray[np.uint8]  # [image, EDGE, EDGE]
    short_side: NDArray[np.int64]  # pixels
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class NearPair:
    """Two manifest positions, `first` < `second`; Hamming distance of the hashes, correlation of the thumbnails."""

    first: int
    second: int
    exact: bool
    distance: int
    likeness: float


@dataclass(frozen=True)
class Cluster:
    """Manifest positions, ascending. Not `applied` where it is `too_large` to be trusted, or near ones are unwanted."""

    members: tuple[int, ...]
    representative: int
    applied: bool
    too_large: bool = False


@dataclass(frozen=True)
class Duplicates:
    """Clusters by their first member; pairs by their positions.

    Applied clusters share no image. The exact copies within a cluster that is not applied are clusters of their own.
    A pair joins a near copy with its representative, or an exact copy with the first of its kind.
    """

    clusters: tuple[Cluster, ...]
    pairs: tuple[NearPair, ...]
    compared: int  # images that took part in the near search, exact copies of theirs too

    def to_json(self) -> list[Any]:
        """Plain values that `from_json` reads."""
        return [[astuple(item) for item in self.clusters], [astuple(item) for item in self.pairs], self.compared]

    @staticmethod
    def from_json(content: Sequence[Any]) -> "Duplicates":
        clusters, pairs, compared = content
        return Duplicates(
            tuple(Cluster(tuple(members), *rest) for members, *rest in clusters),
            tuple(NearPair(*values) for values in pairs),
            compared,
        )

    @cached_property
    def units(self) -> tuple[tuple[int, ...], ...]:
        """The positions that must stay together, for each applied cluster."""
        return tuple(cluster.members for cluster in self.clusters if cluster.applied)


@dataclass(frozen=True)
class _Star:
    """A representative and the near copies around it, as rows of what was searched."""

    centre: int
    rays: tuple[tuple[int, int, float], ...]  # row, distance, likeness


def find_duplicates(looks: Looks, *, apply_near: bool = True) -> Duplicates:
    """Every exact copy, and near copies around representatives: pictures with most lookalikes first, ties by position.

    Without `apply_near`, near clusters are reported and only exact ones applied. Memory grows with the number of
    images, however many are alike; time with its square, 0.1 s at 5,000.
    """
    copies = defaultdict[str, list[int]](list)
    for position, digest in enumerate(looks.pixels):
        copies[digest].append(position)
    firsts = np.array([positions[0] for positions in copies.values()], dtype=np.intp)
    varied = spread(looks.thumbnails[firsts]) >= (FLATTEST * EDGE**2) ** 2
    searched = firsts[varied & (looks.short_side[firsts] >= SHORTEST)]
    whole = {positions[0]: positions for positions in copies.values()}
    clusters, pairs, joined = list[Cluster](), list[NearPair](), set[int]()
    largest = np.maximum(LARGEST, np.bincount(looks.labels)[looks.labels[searched]] // 100)
    for star in _stars(looks.phash[searched], looks.thumbnails[searched], largest):
        centre = int(searched[star.centre])
        rays = [(int(searched[row]), distance, likeness) for row, distance, likeness in star.rays]
        pairs += [NearPair(min(centre, r), max(centre, r), False, distance, alike) for r, distance, alike in rays]
        distinct = [centre, *(ray for ray, _, _ in rays)]
        too_large = len(distinct) > int(largest[star.centre])
        applied = apply_near and not too_large
        members = sorted(position for first in distinct for position in whole[first])
        clusters.append(Cluster(tuple(members), centre, applied, too_large))
        joined.update(distinct if applied else ())
    for first, positions in whole.items():
        pairs += [NearPair(first, copy, True, 0, 1.0) for copy in positions[1:]]
        if len(positions) > 1 and first not in joined:
            clusters.append(Cluster(tuple(positions), first, applied=True))
    clusters.sort(key=lambda cluster: (cluster.members, cluster.applied))
    pairs.sort(key=lambda pair: (pair.first, pair.second))
    return Duplicates(tuple(clusters), tuple(pairs), compared=sum(len(whole[int(first)]) for first in searched))


def naive_leak(duplicates: Duplicates | Iterable[Sequence[int]], k: int) -> float:
    """How many images a random split into `k` folds would, on average, validate while a copy of theirs trains.

    Takes what was found or units of positions. Each image of g copies has them all in its own fold with probability
    (1/k)^(g-1).
    """
    units = duplicates.units if isinstance(duplicates, Duplicates) else duplicates
    return float(sum(len(unit) * (1 - (1 / k) ** (len(unit) - 1)) for unit in units if len(unit) > 1))


@dataclass(frozen=True)
class _Glimpses:
    """What decides whether a closer look is worth it."""

    phash: NDArray[np.uint64]  # [picture]
    coarse: NDArray[np.float32]  # [picture, 64]

    def __len__(self) -> int:
        return len(self.phash)

    def __getitem__(self, which: slice | NDArray[np.intp]) -> "_Glimpses":
        return _Glimpses(self.phash[which], self.coarse[which])


class _Tile:
    """Compares a few pictures with many. Its arrays are used again: fresh memory takes three times as long."""

    def __init__(self) -> None:
        self._apart = np.empty(_ROWS * _COLUMNS, dtype=np.uint64)
        self._bits = np.empty(_ROWS * _COLUMNS, dtype=np.uint8)
        self._near = np.empty(_ROWS * _COLUMNS, dtype=np.bool_)

    def compare(self, few: _Glimpses, many: _Glimpses) -> tuple[NDArray[np.uint8], NDArray[np.bool_]] | None:
        """Hamming distances and who resembles whom at a glimpse, until the next call; None where nobody does."""
        shape, size = (len(few), len(many)), len(few) * len(many)
        apart, bits, near = self._apart[:size].reshape(shape), self._bits[:size].reshape(shape), self._near[:size]
        near = near.reshape(shape)
        np.bitwise_xor(few.phash[:, np.newaxis], many.phash, out=apart)
        np.bitwise_count(apart, out=bits)
        np.less_equal(bits, DISTANCE, out=near)
        if not near.any():
            return None
        if _is_dense(near):
            near &= few.coarse @ many.coarse.T >= _GLIMPSE
        else:
            row, column = _where(near)
            near[row, column] = np.einsum("ij,ij->i", few.coarse[row], many.coarse[column]) >= _GLIMPSE
        return bits, near


def _is_dense(near: NDArray[np.bool_]) -> bool:
    return 32 * int(np.count_nonzero(near)) > near.size


def _where(near: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the few that are true; np.nonzero takes ten times as long."""
    row, column = np.divmod(np.flatnonzero(near), near.shape[1])
    return row, column


def _stars(phash: NDArray[np.uint64], thumbnails: NDArray[np.uint8], largest: NDArray[np.int64]) -> Iterator[_Star]:
    """Near copies among distinct pictures, each in at most one star. More lookalikes than `largest` are a crowd."""
    glimpses = _Glimpses(phash, coarse(thumbnails))
    lookalikes = _count_lookalikes(glimpses)
    active = np.flatnonzero(lookalikes)
    active = active[np.argsort(-lookalikes[active], kind="stable")]
    least = np.where(lookalikes > largest, CROWDED, CONFIRMED)[active]
    glimpses, crops = glimpses[active], Crops.of(thumbnails[active])
    taken = np.zeros(len(active), dtype=np.bool_)
    for start in range(0, len(active), _BATCH):
        rows = start + np.flatnonzero(~taken[start : start + _BATCH])
        columns = start + np.flatnonzero(~taken[start:])
        distances = _distances(glimpses[rows], glimpses[columns])
        for row, to_columns in zip(rows, distances, strict=True):
            if taken[row]:
                continue
            open_to = np.flatnonzero((to_columns != _NONE) & (columns > row) & ~taken[columns])
            nearest = open_to[np.argsort(to_columns[open_to], kind="stable")]
            rays = list(_rays(crops, int(row), columns[nearest], to_columns[nearest], least=float(least[row])))
            taken[[other for other, _, _ in rays]] = True
            if rays:
                taken[row] = True
                yield _Star(int(active[row]), tuple((int(active[r]), distance, alike) for r, distance, alike in rays))


def _rays(
    crops: Crops, row: int, others: NDArray[np.intp], distances: NDArray[np.uint8], *, least: float
) -> Iterator[tuple[int, int, float]]:
    """Those of `others`, nearest first, that are alike by at least `least`.

    Looks at twice as many at a time while some are, and stops at a full look that finds none: thousands of pictures
    with one hash must not cost their square.
    """
    start, size = 0, _LOOK
    while start < len(others):
        looked = slice(start, start + size)
        alike = crops.compare(row, others[looked])
        found = np.flatnonzero(alike >= least)
        if not len(found):
            return
        for index in found:
            yield int(others[looked][index]), int(distances[looked][index]), float(alike[index])
        start, size = start + size, 2 * size


def _count_lookalikes(glimpses: _Glimpses) -> NDArray[np.int64]:
    """How many others each picture resembles at a glimpse: by its hash, and by 8 x 8 pixels."""
    counts, tile = np.zeros(len(glimpses), dtype=np.int64), _Tile()
    for start in range(0, len(glimpses), _ROWS):
        rows = slice(start, start + _ROWS)
        for left in range(start, len(glimpses), _COLUMNS):
            columns = slice(left, left + _COLUMNS)
            compared = tile.compare(glimpses[rows], glimpses[columns])
            if compared is None:
                continue
            near = np.triu(compared[1], 1) if left == start else compared[1]
            if _is_dense(near):
                counts[rows] += near.sum(axis=1)
                counts[columns] += near.sum(axis=0)
            else:
                row, column = _where(near)
                np.add.at(counts, start + row, 1)
                np.add.at(counts, left + column, 1)
    return counts


def _distances(few: _Glimpses, many: _Glimpses) -> NDArray[np.uint8]:
    """Hamming distances, _NONE where two do not resemble each other at a glimpse.  # [few, many]"""
    distances, tile = np.full((len(few), len(many)), _NONE), _Tile()
    for top in range(0, len(few), _ROWS):
        for left in range(0, len(many), _COLUMNS):
            rows, columns = slice(top, top + _ROWS), slice(left, left + _COLUMNS)
            compared = tile.compare(few[rows], many[columns])
            if compared is not None:
                distances[rows, columns] = np.where(compared[1], compared[0], _NONE)
    return distances
