"""Copies that must stay together, found in pictures drawn here."""

import json
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from foldproof.data.checks.duplicates import LARGEST, Cluster, Duplicates, Looks, NearPair, find_duplicates, naive_leak
from foldproof.data.likeness import EDGE, likeness


def picture(seed: int, *, size: int = 120) -> Image.Image:
    colours = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC)


def noisy(image: Image.Image, seed: int) -> Image.Image:
    pixels = np.asarray(image).astype(np.int64)
    pixels += np.random.default_rng(seed).integers(-12, 13, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def looks(images: Sequence[Image.Image], *, labels: Sequence[int] | None = None) -> Looks:
    arrays = [np.asarray(image) for image in images]
    found = [likeness(array) for array in arrays]
    return Looks(
        pixels=[f"{array.shape}{array.tobytes().hex()}" for array in arrays],
        phash=np.array([each.phash for each in found], dtype=np.uint64),
        thumbnails=np.stack([np.frombuffer(each.thumbnail, np.uint8).reshape(EDGE, EDGE) for each in found]),
        short_side=np.array([min(image.size) for image in images]),
        labels=np.zeros(len(images), dtype=np.int64) if labels is None else np.array(labels),
    )


def test_pictures_that_differ_form_no_cluster() -> None:
    found = find_duplicates(looks([picture(seed) for seed in range(40)]))
    assert found.clusters == found.pairs == ()
    assert found.compared == 40


def test_no_images_have_no_duplicates() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = Looks([], nothing.astype(np.uint64), np.zeros((0, EDGE, EDGE), np.uint8), nothing, nothing)
    assert find_duplicates(empty).clusters == ()


def test_copies_of_the_same_pixels_are_one_cluster_with_a_pair_less_than_copies() -> None:
    found = find_duplicates(looks([picture(0), picture(1), picture(0), picture(0)]))
    assert found.clusters == (Cluster((0, 2, 3), representative=0, applied=True),)
    assert found.pairs == (NearPair(0, 2, True, 0, 1.0), NearPair(0, 3, True, 0, 1.0))
    assert found.compared == 4


def test_copies_under_two_labels_are_one_cluster_all_the_same() -> None:
    found = find_duplicates(looks([picture(0), noisy(picture(0), 1), picture(0)], labels=[0, 1, 2]))
    assert [cluster.members for cluster in found.clusters] == [(0, 1, 2)]


def test_changed_copies_gather_around_one_representative() -> None:
    original = picture(0)
    copies = [original.resize((80, 80)), original.crop((4, 4, 116, 116)), noisy(original, 1), picture(5)]
    found = find_duplicates(looks([*copies, original]))
    (cluster,) = found.clusters
    assert cluster.members == (0, 1, 2, 4)
    assert cluster.applied
    assert len(found.pairs) == 3
    assert all(cluster.representative in (pair.first, pair.second) and not pair.exact for pair in found.pairs)
    assert all(pair.first < pair.second and pair.likeness > 0.93 for pair in found.pairs)


def test_exact_copies_follow_the_one_that_is_a_near_copy() -> None:
    one, near = picture(0), noisy(picture(0), 1)
    found = find_duplicates(looks([one, near, one, near, near]))
    assert [cluster.members for cluster in found.clusters] == [(0, 1, 2, 3, 4)]
    assert [(pair.first, pair.second, pair.exact) for pair in found.pairs] == [
        (0, 1, False), (0, 2, True), (1, 3, True), (1, 4, True)
    ]  # fmt: skip


def test_a_chain_of_neighbours_is_not_one_cluster() -> None:
    """A picture that turns into another by small steps: each is like the next, the first is not like the last."""
    pixels = [np.asarray(picture(seed)).astype(np.int64) for seed in (0, 1)]
    steps = [Image.fromarray(((20 - k) * pixels[0] + k * pixels[1]).astype(np.int64).__floordiv__(20).astype(np.uint8))
             for k in range(21)]  # fmt: skip
    found = find_duplicates(looks(steps))
    assert len(found.clusters) > 1
    assert max(len(cluster.members) for cluster in found.clusters) < 15
    members = [position for cluster in found.clusters for position in cluster.members]
    assert len(members) == len(set(members))
    assert all(pair.likeness >= 0.93 for pair in found.pairs)


def test_small_pictures_take_part_in_the_exact_search_only() -> None:
    small = picture(0, size=63)
    found = find_duplicates(looks([small, noisy(small, 1), small]))
    assert [cluster.members for cluster in found.clusters] == [(0, 2)]
    assert found.compared == 0


def test_blank_pictures_take_part_in_the_exact_search_only() -> None:
    grey = Image.new("RGB", (100, 100), (128, 128, 128))
    found = find_duplicates(looks([grey, noisy(grey, 1), noisy(grey, 2), grey]))
    assert [cluster.members for cluster in found.clusters] == [(0, 3)]
    assert found.compared == 0


@pytest.mark.parametrize(("others", "applied"), [(0, False), (1200, True)])
def test_a_cluster_too_large_for_its_class_is_reported_and_only_its_exact_copies_stay_together(
    others: int, applied: bool
) -> None:
    original = picture(0)
    images = [noisy(original, seed) for seed in range(LARGEST + 1)]
    seen = looks([*images, images[0]])
    far = np.random.default_rng(0)
    seen = Looks(
        pixels=[*seen.pixels, *(f"other {number}" for number in range(others))],
        phash=np.concatenate([seen.phash, far.integers(0, 2**64, others, dtype=np.uint64)]),
        thumbnails=np.concatenate([seen.thumbnails, far.integers(0, 256, (others, EDGE, EDGE), dtype=np.uint8)]),
        short_side=np.full(others + LARGEST + 2, 100),
        labels=np.zeros(others + LARGEST + 2, dtype=np.int64),
    )
    found = find_duplicates(seen)
    whole = tuple(range(LARGEST + 2))
    assert [(cluster.members, cluster.applied) for cluster in found.clusters] == (
        [(whole, True)] if applied else [(whole, False), ((0, LARGEST + 1), True)]
    )
    assert found.units == ((whole,) if applied else ((0, LARGEST + 1),))


@pytest.mark.parametrize(("lookalikes", "joined"), [(1, True), (LARGEST, True), (LARGEST + 1, False)])
def test_in_a_crowd_of_lookalikes_it_takes_more_to_be_a_copy(lookalikes: int, joined: bool) -> None:
    """What two pictures must share to be copies where they are the only two of their kind is not enough in a crowd."""
    crowd = alike(lookalikes + 1, noise=81)  # they correlate by about 0.7
    first, mean = crowd.thumbnails[0].astype(np.int64), crowd.thumbnails[1].astype(np.int64)
    crowd.thumbnails[1] = (5 * first + 3 * mean) // 8  # 0.945 with the first
    found = find_duplicates(crowd)
    assert [cluster.members for cluster in found.clusters] == ([(0, 1)] if joined else [])


def alike(count: int, *, noise: int = 9) -> Looks:
    """Distinct pictures that all resemble each other, without the work of drawing them."""
    random = np.random.default_rng(0)
    slope = np.add.outer(np.arange(EDGE), np.arange(EDGE)) * 3 + 20
    return Looks(
        pixels=[str(number) for number in range(count)],
        phash=random.integers(0, 2**8, count, dtype=np.uint64),
        thumbnails=(slope + random.integers(0, noise, (count, EDGE, EDGE))).astype(np.uint8),
        short_side=np.full(count, 100),
        labels=np.zeros(count, dtype=np.int64),
    )


@pytest.mark.slow
def test_memory_grows_with_the_number_of_images_even_where_all_are_alike() -> None:
    seen = alike(3000)
    tracemalloc.start()
    found = find_duplicates(seen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(cluster.members) for cluster in found.clusters] == [3000]
    assert peak < 50e6  # 4.5 million pairs, of three numbers each, would be far more


def test_thirty_thousand_identical_pictures_are_compared_once() -> None:
    one = alike(1)
    found = find_duplicates(
        Looks(["same"] * 30_000, one.phash.repeat(30_000), one.thumbnails.repeat(30_000, axis=0),
              one.short_side.repeat(30_000), one.labels.repeat(30_000))
    )  # fmt: skip
    assert found.compared == 30_000
    assert len(found.pairs) == 29_999
    assert [len(cluster.members) for cluster in found.clusters] == [30_000]
    assert len(found.pairs) == 29_999


def test_the_leak_of_a_naive_split_is_what_random_splits_leak_on_average() -> None:
    units, k, random = [(0, 1), (2, 3, 4), (5,)], 4, np.random.default_rng(0)
    draws = random.integers(0, k, (20_000, 6))
    leaks = [(draws[:, unit] != draws[:, unit[:1]]).any(axis=1).mean() * len(unit) for unit in units]
    assert naive_leak(units, k) == pytest.approx(sum(leaks), rel=0.02)
    assert naive_leak(units, k) == 2 * (1 - 1 / 4) + 3 * (1 - 1 / 16)


def test_the_leak_counts_what_was_applied() -> None:
    assert naive_leak(find_duplicates(looks([picture(0), picture(1), picture(0)])), k=5) == 2 * (1 - 1 / 5)


def test_near_copies_that_are_only_to_be_reported_are_pairs_and_keep_nothing_together() -> None:
    seen = looks([picture(0), noisy(picture(0), 1), picture(1), picture(1)])
    grouped, reported = find_duplicates(seen), find_duplicates(seen, apply_near=False)
    assert grouped.pairs == reported.pairs
    assert set(grouped.units) == {(0, 1), (2, 3)}
    assert reported.units == ((2, 3),)
    assert not any(cluster.too_large for cluster in reported.clusters)


def test_what_was_found_can_be_kept_as_json() -> None:
    found = find_duplicates(looks([picture(0), noisy(picture(0), 1), picture(1), picture(1)]))
    assert Duplicates.from_json(json.loads(json.dumps(found.to_json()))) == found
