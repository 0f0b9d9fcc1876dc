"""Rows that are kept: however a pass is cut and whatever other files have, each row is that of its image."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foldproof.data.rows import cache as rows_cache
from foldproof.data.rows.copies import rows_elsewhere
from foldproof.data.rows.files import index_file, is_whole, read_index, row_sums
from foldproof.errors import StorageError
from foldproof.training.frozen import rows as frozen_rows
from foldproof.training.frozen.rows import Compute, FeatureRows, FeatureStore, keep, kept_or_computed, lacking
from planned import NUMERIC

WIDTH = 3
some_images = st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True)


def wanted(cache, images, *, maker="maker", width=WIDTH) -> FeatureRows:
    store = FeatureStore(
        cache=cache, limit_gb=1.0, width=width, backbone="net", numeric_class=NUMERIC, precision="float32"
    )
    return FeatureRows(store=store, maker=maker, names=tuple(bytes([image]) * 32 for image in images))


def row_of(image: int, width: int = WIDTH) -> np.ndarray:
    return np.array([image + number / 8 for number in range(width)], dtype=np.float32)


def keep_as_another(wanted: FeatureRows, compute: Compute) -> Path:
    """Keep rows as a process does that ends: they are not in use any more."""
    path = keep(wanted, compute)
    rows_cache._marks.pop(path).release()
    return path


class Pass:
    """Computes rows in parts of two, the last first, and notes of which positions."""

    def __init__(self, images: list[int], width: int = WIDTH) -> None:
        self.images, self.width = images, width
        self.asked: list[int] = []

    def __call__(self, positions):
        self.asked += positions.tolist()
        for start in range((len(positions) - 1) // 2 * 2, -1, -2):
            part = positions[start : start + 2]
            yield part, np.stack([row_of(self.images[place], self.width) for place in part])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(earlier=st.lists(some_images, max_size=2), images=some_images)
def test_each_row_is_that_of_its_image_and_only_those_that_no_file_has_are_computed(tmp_path_factory, earlier, images):
    cache = tmp_path_factory.mktemp("cache")
    keep_as_another(wanted(cache, images, maker="another"), Pass(images))
    files: dict[str, set[int]] = {}
    for some in (*earlier, images):
        name = wanted(cache, some).path.name
        if name not in files:
            files = {other: there for other, there in files.items() if not there <= set(some)} | {name: set(some)}
    for before in earlier:
        keep_as_another(wanted(cache, before), Pass(before))
    now = wanted(cache, images)
    known = {image for before in earlier for image in before}
    missing = [place for place, image in enumerate(images) if image not in known]
    assert lacking(now).tolist() == ([] if is_whole(now.path) else missing)
    computed = Pass(images)
    there = is_whole(now.path)
    path = keep(now, computed)
    assert computed.asked == ([] if there else missing)
    assert np.array_equal(np.load(path), np.stack(list(map(row_of, images))))
    index = read_index(path)
    assert (index.row, index.number, index.maker, index.about) == ((WIDTH,), "<f4", "maker", {"backbone": "net"})
    assert [bytes(name) for name in index.names] == list(now.names)
    assert np.array_equal(index.sums, row_sums(np.load(path)))
    assert is_whole(path, deep=True)
    assert lacking(now).tolist() == []
    left = {file.name for file in cache.glob("*.npy")}
    assert left == {*files, wanted(cache, images, maker="another").path.name}


def test_files_in_use_stay_though_another_has_all_their_rows(tmp_path):
    few = keep(wanted(tmp_path, [1]), Pass([1]))
    keep(wanted(tmp_path, [1, 2]), Pass([1, 2]))
    assert few.exists()


def test_a_pass_that_breaks_off_leaves_what_it_had_in_parts_that_end_as_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(frozen_rows, "PART", 3)
    images = list(range(11))
    now, computed = wanted(tmp_path, images), Pass(images)

    def breaking_off(positions):
        for number, part in enumerate(computed(positions)):
            if number == 4:
                raise KeyboardInterrupt
            yield part

    with pytest.raises(KeyboardInterrupt):
        keep(now, breaking_off)
    assert not now.path.exists()
    assert lacking(now).tolist() == [0, 1, 2, 3]
    computed.asked.clear()
    keep(now, computed)
    assert computed.asked == [0, 1, 2, 3]
    assert np.array_equal(np.load(now.path), np.stack(list(map(row_of, images))))
    assert [file.name for file in tmp_path.glob("features-*.npy")] == [now.path.name]


def test_what_cannot_be_kept_is_computed(tmp_path):
    (tmp_path / "file").touch()
    computed = Pass([1, 2])
    found = kept_or_computed(wanted(tmp_path / "file", [1, 2]), computed)
    assert np.array_equal(found, np.stack(list(map(row_of, [1, 2]))))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([([0, 1], (2, 4))], r"features of shape \(2, 4\) came for 2 images of 3 each"),
        ([([0, 1], (1, 3))], r"features of shape \(1, 3\) came for 2 images of 3 each"),
        ([([0], (1, 3)), ([2], (1, 3))], "the features of 1 of 3 images did not come"),
        ([], "the features of 3 of 3 images did not come"),
    ],
)
def test_rows_that_do_not_fit_or_come_are_refused_and_nothing_is_kept(tmp_path, rows, said):
    def compute(positions):
        assert positions.tolist() == [0, 1, 2]
        return [(np.array(part), np.zeros(shape, np.float32)) for part, shape in rows]

    now = wanted(tmp_path, [1, 2, 3])
    with pytest.raises(StorageError, match=said):
        keep(now, compute)
    assert not list(tmp_path.glob("*.npy")) + list(tmp_path.glob("*.rows"))


def test_a_cache_that_may_not_hold_as_much_is_said_before_anything_is_computed(tmp_path):
    one = wanted(tmp_path, [1, 2])
    small = FeatureRows(
        store=FeatureStore(**{**vars(one.store), "limit_gb": (one.bytes - 1) / 1e9}), maker=one.maker, names=one.names
    )
    assert one.bytes == 2 * (4 * WIDTH + 36)
    computed = Pass([1, 2])
    with pytest.raises(StorageError, match="the features of all images"):
        keep(small, computed)
    assert computed.asked == []


def test_rows_of_another_width_damaged_ones_and_files_that_are_not_what_their_index_says_are_not_copied(tmp_path):
    now = wanted(tmp_path, [1, 2, 3])
    keep(wanted(tmp_path, [1], width=4), Pass([1], width=4))
    damaged = keep(wanted(tmp_path, [2]), Pass([2]))
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    cut = keep(wanted(tmp_path, [3]), Pass([3]))
    np.save(cut, np.zeros((2, WIDTH), np.float32))
    assert lacking(now).tolist() == [0, 1, 2]
    np.save(cut, row_of(3)[None].astype(np.float64))
    assert lacking(now).tolist() == [0, 1, 2]
    np.save(cut, row_of(3)[None])
    assert lacking(now).tolist() == [0, 1]
    cut.write_bytes(b"no array")
    assert lacking(now).tolist() == [0, 1, 2]
    keep(wanted(tmp_path, [3, 1]), Pass([3, 1]))
    assert lacking(now).tolist() == [1]
    index_file(wanted(tmp_path, [3, 1]).path).unlink()
    assert lacking(now).tolist() == [0, 1, 2]


def test_rows_are_looked_for_in_the_most_recently_used_files_and_in_no_more_than_asked_for(tmp_path):
    import os

    for number, images in enumerate(([1], [2], [3])):
        path = keep(wanted(tmp_path, images), Pass(images))
        os.utime(path, ns=(number * 10**9, path.stat().st_mtime_ns))
        for file in (path, index_file(path)):
            os.utime(file, ns=(number * 10**9, number * 10**9))
    names = frozenset(wanted(tmp_path, [1, 2, 3]).names)
    path = wanted(tmp_path, [1, 2, 3]).path
    assert len(rows_elsewhere(tmp_path, path, "maker", names, sources=2)) == 2
    assert len(rows_elsewhere(tmp_path, path, "maker", names)) == 3
