"""Duplicates under hypothesis: groups that share no image, around representatives, whatever the images look like."""

from collections import defaultdict
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.data.checks import duplicates
from foldproof.data.checks.duplicates import CONFIRMED, CROWDED, DISTANCE, Looks, find_duplicates, naive_leak
from foldproof.data.likeness import EDGE, Crops

few = settings(max_examples=40, deadline=None)


@st.composite
def sets(draw: st.DrawFn) -> Looks:
    """A few families of likenesses with noise, hashes a few bits apart, exact copies, small and blank pictures."""
    count = draw(st.integers(0, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    families, noise = draw(st.integers(1, 6)), draw(st.sampled_from([0, 5, 60]))
    bases = random.integers(0, 256, (families, 8, 8)).repeat(EDGE // 8, axis=1).repeat(EDGE // 8, axis=2)
    family = random.integers(0, families, count)
    changed = bases[family] + random.integers(-noise, noise + 1, (count, EDGE, EDGE))
    flipped = np.uint64(1) << random.integers(0, 64, count, dtype=np.uint64)
    seen = Looks(
        pixels=[str(number) for number in range(count)],
        phash=family.astype(np.uint64) ^ flipped,
        thumbnails=np.clip(changed, 0, 255).astype(np.uint8),
        short_side=random.choice([40, 64, 200], count, p=[0.1, 0.3, 0.6]),
        labels=random.integers(0, 3, count),
    )
    source = np.where(random.random(count) < 0.3, random.integers(0, max(count, 1), count), np.arange(count))
    return rows(seen, source)


def rows(seen: Looks, which: np.ndarray) -> Looks:
    return Looks(
        [seen.pixels[row] for row in which], seen.phash[which], seen.thumbnails[which], seen.short_side[which],
        seen.labels[which],
    )  # fmt: skip


@pytest.mark.slow
@few
@given(sets())
def test_applied_clusters_share_no_image_and_keep_every_exact_copy(seen: Looks) -> None:
    found = find_duplicates(seen)
    placed = [position for unit in found.units for position in unit]
    assert len(placed) == len(set(placed))
    unit_of = {position: number for number, unit in enumerate(found.units) for position in unit}
    copies = defaultdict[str, set[int | None]](set)
    for position, digest in enumerate(seen.pixels):
        copies[digest].add(unit_of.get(position))
    assert all(len(units) == 1 for units in copies.values())
    assert all(len(unit) > 1 and list(unit) == sorted(set(unit)) for unit in found.units)


@pytest.mark.slow
@few
@given(sets())
def test_every_near_copy_is_like_its_representative_and_every_pair_is_told(seen: Looks) -> None:
    found = find_duplicates(seen)
    crops = Crops.of(seen.thumbnails)
    for pair in found.pairs:
        assert pair.first < pair.second
        assert pair.exact == (seen.pixels[pair.first] == seen.pixels[pair.second])
        if not pair.exact:
            assert int(seen.phash[pair.first] ^ seen.phash[pair.second]).bit_count() == pair.distance <= DISTANCE
            assert pair.likeness == crops.compare(pair.first, np.array([pair.second]))[0] >= CONFIRMED
            assert min(seen.short_side[[pair.first, pair.second]]) >= duplicates.SHORTEST
    for cluster in found.clusters:
        assert cluster.representative in cluster.members
        inside = [pair for pair in found.pairs if {pair.first, pair.second} <= set(cluster.members)]
        assert len(inside) == len(cluster.members) - 1


@pytest.mark.slow
@few
@given(sets())
def test_what_is_left_alone_is_like_no_other_left_alone(seen: Looks) -> None:
    """Not missed: two that are both in no near cluster would have been confirmed as a pair, even in a crowd."""
    found = find_duplicates(seen)
    near = {position for pair in found.pairs if not pair.exact for position in (pair.first, pair.second)}
    first = {digest: position for position, digest in reversed(list(enumerate(seen.pixels)))}
    alone = np.array(
        [p for p in first.values() if p not in near and seen.short_side[p] >= duplicates.SHORTEST], dtype=np.intp
    )
    crops = Crops.of(seen.thumbnails)
    for place, one in enumerate(alone[:-1]):
        others = alone[place + 1 :]
        close = np.bitwise_count(seen.phash[others] ^ seen.phash[one]) <= DISTANCE
        assert not (close & (crops.compare(int(one), others) >= CROWDED)).any()


@pytest.mark.slow
@few
@given(sets())
def test_the_same_set_gives_the_same_answer(seen: Looks) -> None:
    assert find_duplicates(seen) == find_duplicates(seen)


@pytest.mark.slow
@few
@given(sets(), st.randoms(use_true_random=False))
def test_the_size_of_a_tile_changes_nothing(seen: Looks, random: Random) -> None:
    expected = find_duplicates(seen)
    kept = {name: getattr(duplicates, name) for name in ("_ROWS", "_COLUMNS", "_BATCH")}
    try:
        for name in kept:
            setattr(duplicates, name, random.randint(3, 9))
        duplicates._COLUMNS = duplicates._ROWS * 2
        assert find_duplicates(seen) == expected
    finally:
        for name, value in kept.items():
            setattr(duplicates, name, value)


@few
@given(st.lists(st.integers(1, 9), max_size=6), st.integers(2, 10))
def test_a_naive_split_leaks_no_more_than_all_copies(sizes: list[int], k: int) -> None:
    units = [tuple(range(size)) for size in sizes]
    assert 0 <= naive_leak(units, k) <= sum(size for size in sizes if size > 1)
