"""What makes two pictures look alike: the same bits everywhere, and hardly moved by what leaves a picture the same."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from foldproof.data.likeness import EDGE, Crops, coarse, likeness, perceptual_hash, spread


def picture(seed: int, *, size: int = 200, detail: int = 9) -> Image.Image:
    """A soft random picture, as different from that of another seed as two photographs."""
    colours = np.random.default_rng(seed).integers(0, 256, (detail, detail, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC)


def thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    return np.frombuffer(likeness(np.asarray(image)).thumbnail, np.uint8).reshape(EDGE, EDGE)


def alike(one: Image.Image, other: Image.Image) -> float:
    crops = Crops.of(np.stack([thumbnail(one), thumbnail(other)]))
    return float(crops.compare(0, np.array([1]))[0])


def bits_apart(one: Image.Image, other: Image.Image) -> int:
    return (likeness(np.asarray(one)).phash ^ likeness(np.asarray(other)).phash).bit_count()


def test_the_hash_is_that_of_the_textbook_but_where_a_frequency_is_within_rounding_of_the_median() -> None:
    for seed in range(100):
        grey = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
        # dctn scales the k-th row and column alike except the constant one; ours is 4096^2 of the plain sum
        frequencies = dctn(grey.astype(np.float64), type=2)[:8, :8].reshape(-1) / 4
        away = np.abs(frequencies - np.median(frequencies))
        expected = frequencies > np.median(frequencies)
        number = perceptual_hash(grey)
        bits = np.array([number >> (63 - index) & 1 for index in range(64)], dtype=bool)
        rounding = 255 * 32 * 32 * 2 / 4096
        assert np.array_equal(bits[away > rounding], expected[away > rounding])
        assert np.count_nonzero(away > rounding) > 48


def test_the_hash_of_a_known_picture_never_changes() -> None:
    """Stored indexes hold these bits; another machine, or another Pillow, must give the same."""
    pixels = (np.arange(50 * 71 * 3, dtype=np.int64).reshape(50, 71, 3) ** 3 // 1009 % 256).astype(np.uint8)
    found = likeness(pixels)
    assert f"{found.phash:016x}" == "833fa02b4f370f4a"
    assert found.thumbnail[:8].hex() == "404b3d40746c9c6d"


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (28, 28), (640, 480)])
def test_pictures_of_any_size_have_a_likeness(size: tuple[int, int]) -> None:
    found = likeness(np.full((*size, 3), 7, dtype=np.uint8))
    assert 0 <= found.phash < 2**64
    assert len(found.thumbnail) == EDGE**2
    assert set(found.thumbnail) == {7}


def test_what_leaves_a_picture_the_same_leaves_it_alike() -> None:
    original = picture(1)
    buffer = io.BytesIO()
    original.save(buffer, "JPEG", quality=35)
    copies = {
        "encoded again": Image.open(buffer).convert("RGB"),
        "smaller": original.resize((110, 110)),
        "brighter": original.point([min(255, value * 6 // 5) for value in range(256)] * 3),
        "cropped on all sides": original.crop((8, 8, 192, 192)),
        "cropped on one": original.crop((0, 0, 190, 200)),
    }
    for what, copy in copies.items():
        assert alike(original, copy) > 0.95, what
        assert bits_apart(original, copy) <= 12, what


def test_a_crop_is_found_where_it_lies() -> None:
    """Five hundredths off each side of a picture with fine detail: as it is, a crop hardly correlates."""
    for seed in range(10):
        original = picture(seed, detail=20)
        crop = original.crop((10, 10, 190, 190))
        plain = np.corrcoef(thumbnail(original).reshape(-1), thumbnail(crop).reshape(-1))[0, 1]
        assert plain < 0.75
        assert alike(original, crop) > 0.9


def test_two_pictures_are_not_alike() -> None:
    scores = [alike(picture(seed), picture(seed + 100)) for seed in range(20)]
    assert max(scores) < 0.6


def test_it_does_not_matter_which_of_the_two_is_the_crop() -> None:
    original, crop = picture(2), picture(2).crop((0, 9, 200, 200))
    assert alike(original, crop) == alike(crop, original)


def test_a_comparison_is_the_best_correlation_over_all_crops() -> None:
    """Against plain floating-point arithmetic."""
    thumbnails = np.stack([thumbnail(picture(seed, detail=4)) for seed in range(6)])
    plain = [np.corrcoef(thumbnails[0].reshape(-1), other.reshape(-1))[0, 1] for other in thumbnails[1:]]
    found = Crops.of(thumbnails).compare(0, np.arange(1, 6))
    assert (found >= np.array(plain) - 1e-12).all()
    assert Crops.of(thumbnails).compare(0, np.array([0])) == pytest.approx([1.0])


def test_a_picture_that_is_one_grey_but_for_its_border_can_be_compared() -> None:
    framed = np.full((EDGE, EDGE), 200, dtype=np.uint8)
    framed[0] = framed[:, 0] = 0
    found = Crops.of(np.stack([framed, thumbnail(picture(3))])).compare(0, np.array([1]))
    assert np.isfinite(found).all()


def test_spread_is_the_variance_of_the_thumbnail() -> None:
    thumbnails = np.stack([thumbnail(picture(seed)) for seed in range(100)])
    expected = thumbnails.reshape(100, -1).astype(np.float64).var(axis=1) * EDGE**4
    assert spread(thumbnails) == pytest.approx(expected)


def test_coarse_thumbnails_multiply_to_a_correlation_exactly() -> None:
    found = coarse(np.stack([thumbnail(picture(seed)) for seed in range(100)]))
    assert np.array_equal(found, np.rint(found))
    products = found @ found.T
    assert np.array_equal(products, (found.astype(np.int64) @ found.astype(np.int64).T))
    assert np.diag(products) == pytest.approx(np.full(100, 2.0**20), rel=0.01)
