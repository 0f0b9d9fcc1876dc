"""How a picture that is not square becomes one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.data.pixels.fitted import Form, fitted
from foldproof.data.value_range import ValueRange


def wide(height: int = 10, width: int = 40, kind: type = np.uint8) -> np.ndarray:
    """White in the middle square, grey beside it."""
    pixels = np.full((height, width, 3), 100, dtype=kind)
    start = (width - height) // 2
    pixels[:, start : start + height] = 200
    return pixels


def test_squash_keeps_all_of_it_in_the_whole_square():
    made = fitted(wide(), Form(size=8, resize="squash"))
    assert made.shape == (8, 8, 3)
    assert (int(made[0, 0, 0]), int(made[7, 7, 0])) == (100, 100)
    assert made.max() > 150


def test_crop_keeps_the_middle_square_alone():
    for pixels in (wide(), wide().transpose(1, 0, 2)):
        assert (fitted(np.ascontiguousarray(pixels), Form(size=8, resize="crop")) == 200).all()


def test_pad_keeps_all_of_it_undistorted_between_black():
    made = fitted(wide(), Form(size=40, resize="pad"))
    assert (made[15:25] == wide()).all()
    assert (made[:15] == 0).all()
    assert (made[25:] == 0).all()


@pytest.mark.parametrize("resize", ["squash", "pad", "crop"])
def test_a_square_of_the_right_size_stays_as_it_is(resize):
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert np.array_equal(fitted(pixels, Form(size=16, resize=resize)), pixels)


def test_deep_pictures_are_framed_alike():
    within = ValueRange(0.0, 200.0, 16)
    made = fitted(wide(kind=np.uint16), Form(size=40, resize="pad", within=within))
    assert (made[:15] == 0).all()
    assert made[20, 20, 0] == made.max()


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    size=st.integers(8, 40),
    resize=st.sampled_from(["squash", "pad", "crop"]),
)
def test_every_picture_becomes_a_square_of_the_size_and_a_plain_one_stays_plain(height, width, size, resize):
    made = fitted(np.full((height, width, 3), 77, dtype=np.uint8), Form(size=size, resize=resize))
    assert made.shape == (size, size, 3)
    assert set(np.unique(made)) <= {0, 77}
    assert (made == 77).any()
