"""A file of pixels that memory does not hold: the same rows, and no others are read."""

import mmap
import os
import sys

import numpy as np
import pytest

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.mapped import Mapped
from foldproof.data.pixels.source import expect, opened

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no advice on mapped files there")


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "pixels.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (400, 40, 40, 3), dtype=np.uint8))
    return path


def test_a_file_that_memory_does_not_hold_gives_the_rows_of_any_other(made, monkeypatch):
    nobody = Dataset(())
    assert isinstance(opened(made, nobody), np.ndarray)
    monkeypatch.setattr("foldproof.data.pixels.source.memory_bytes", lambda: 3_000_000)
    images, whole = opened(made, nobody), np.load(made)
    assert isinstance(images, Mapped)
    assert (images.shape, images.dtype, len(images)) == (whole.shape, whole.dtype, len(whole))
    parts = np.split(np.random.default_rng(1).permutation(400), [32, 64, 399])
    expect(images, parts)
    for positions in [*parts, parts[0][:3]]:
        assert np.array_equal(images[positions], whole[positions])
    assert np.array_equal(images[5:9], whole[5:9])


@pytest.mark.parametrize("is_expected", [False, True])
def test_only_the_pages_of_rows_that_are_asked_for_are_read(made, is_expected):
    with made.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident(made) > 0.1:
        pytest.skip("this file system keeps its pages")
    images = Mapped(made)
    if is_expected:
        expect(images, [np.arange(3, 400, 40)])
    assert images[np.arange(3, 400, 40)].any()
    assert resident(made) < 0.2


def resident(path):
    """The share of a file's pages that lie in memory."""
    import ctypes
    import mmap

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        pages = -(-len(mapped) // mmap.PAGESIZE)
        seen = (ctypes.c_ubyte * pages)()
        held = ctypes.c_char.from_buffer(mapped)
        failed = ctypes.CDLL(None, use_errno=True).mincore(
            ctypes.c_void_p(ctypes.addressof(held)), ctypes.c_size_t(len(mapped)), seen
        )
        del held
    assert not failed
    return sum(value & 1 for value in seen) / pages


def test_rows_that_are_expected_are_asked_of_the_system_ahead_and_more_as_they_are_used(made, monkeypatch):
    asked = []
    monkeypatch.setattr(Mapped, "_advise", lambda _, __, *of: asked.append(of))
    monkeypatch.setattr("foldproof.data.pixels.mapped.AHEAD_BYTES", 1)
    images = Mapped(made)
    asked.clear()
    expect(images, [np.array([3, 5]), np.array([7]), np.array([9])])
    assert len(asked) == 2  # those of the first part
    images[np.array([3])]
    assert len(asked) == 3
    images[np.array([5])]
    assert len(asked) == 4
    images[np.array([7])]
    assert len(asked) == 4
    for (begin, length), row in zip(asked, (3, 5, 7, 9), strict=True):
        start = images._start + row * images._row_bytes
        assert begin <= start < begin + mmap.PAGESIZE
        assert begin + length == start + images._row_bytes
