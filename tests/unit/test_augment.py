"""Augmentations of whole batches."""

import numpy as np

from foldproof.training.augment import light, none
from foldproof.training.keyed import sample_bits

IMAGES = np.random.default_rng(3).integers(1, 256, (64, 16, 16, 3), dtype=np.uint8)
BITS = sample_bits(np.arange(64, dtype=np.uint64), 1)


def expected(image: np.ndarray, down: int, right: int, mirrored: bool) -> np.ndarray:
    padded = np.zeros((20, 20, 3), dtype=np.uint8)
    padded[2:18, 2:18] = image
    cropped = padded[down : down + 16, right : right + 16]
    return cropped[:, ::-1] if mirrored else cropped


def test_none_changes_nothing():
    assert np.array_equal(none(IMAGES, BITS), IMAGES)


def test_light_is_a_mirror_and_a_shift_with_black_coming_in():
    for image, changed in zip(IMAGES, light(IMAGES, BITS), strict=True):
        candidates = [expected(image, d, r, m) for d in range(5) for r in range(5) for m in (False, True)]
        assert any(np.array_equal(changed, candidate) for candidate in candidates)


def test_light_uses_every_shift_and_both_sides():
    image = np.arange(1, 257, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3).repeat(2000, axis=0)
    kinds = {changed.tobytes() for changed in light(image, sample_bits(np.arange(2000, dtype=np.uint64), 5))}
    assert len(kinds) == 50


def test_an_image_is_changed_the_same_way_in_any_batch():
    together = light(IMAGES, BITS)
    alone = np.concatenate([light(IMAGES[i : i + 1], BITS[i : i + 1]) for i in range(64)])
    assert np.array_equal(together, alone)
