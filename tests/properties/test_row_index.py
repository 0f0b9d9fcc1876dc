"""The index beside a file of rows: what was written of them is read, and whatever else stands there is no index."""

import json
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.data.rows.files import (
    RowIndex,
    header,
    index_file,
    is_whole,
    read_head,
    read_index,
    row_sums,
    write_index,
)

words = st.sampled_from(["", "squash", "ä\n"])
abouts = st.dictionaries(st.sampled_from(["size", "resize", "channels", "bits", "space"]), words | st.integers(0, 99))
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
numbers = st.sampled_from(["|u1", "<u2", "<f4"])


def write(path: Path, shape: tuple[int, ...], number: str, count: int, about: dict[str, object]) -> RowIndex:
    rows = np.random.default_rng(count).integers(0, 200, (count, *shape)).astype(number)
    path.write_bytes(header(rows.shape, number) + rows.tobytes())
    names = np.arange(32 * count, dtype=np.uint8).reshape(count, 32)
    index = RowIndex(shape, number, "maker", names, row_sums(rows), about)
    write_index(path, index)
    return index


@settings(max_examples=25)
@given(shape=shapes, number=numbers, count=st.integers(0, 5), about=abouts)
def test_what_was_written_of_rows_is_read_whatever_they_are(tmp_path_factory, shape, number, count, about):
    path = tmp_path_factory.getbasetemp() / "features-a.npy"
    written = write(path, shape, number, count, about)
    found = read_index(path)
    assert found is not None
    assert (found.row, found.number, found.maker, found.about) == (shape, number, "maker", about)
    assert np.array_equal(found.names, written.names)
    assert np.array_equal(found.sums, written.sums)
    stat = path.stat()
    assert found.seen == (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    assert is_whole(path, deep=True)
    assert np.array_equal(row_sums(np.load(path)), written.sums)
    assert (read_head(path)["images"], found.shape, found.row_bytes) == (
        count,
        np.load(path).shape,
        np.load(path).nbytes // count if count else found.row_bytes,
    )


def with_sum(head: dict[str, object], rest: bytes) -> bytes:
    content = json.dumps(head).encode() + b"\n" + rest
    return content + b"%08x" % zlib.crc32(content)


@pytest.mark.parametrize(
    ("changed", "lacking"),
    [
        *(({name: None}, 0) for name in ("v", "images", "row", "seen")),
        *(({"v": version}, 0) for version in (0, 2)),
        *(({"images": count}, 0) for count in (0, 2, 4)),
        *(({}, bytes_) for bytes_ in (1, 36)),
    ],
)
def test_an_index_of_another_version_or_of_another_number_of_rows_is_none(tmp_path, changed, lacking):
    path = tmp_path / "features-a.npy"
    write(path, (2,), "<f4", 3, {})
    line, _, rest = index_file(path).read_bytes()[:-8].partition(b"\n")
    index_file(path).write_bytes(with_sum(json.loads(line), rest))
    assert read_index(path) is not None
    index_file(path).write_bytes(with_sum({**json.loads(line), **changed}, rest[: len(rest) - lacking]))
    assert read_index(path) is None


@pytest.mark.parametrize("name", ["v", "images", "row", "number", "decoder", "seen"])
def test_an_index_that_lacks_something_is_none(tmp_path, name):
    path = tmp_path / "features-a.npy"
    write(path, (2,), "<f4", 3, {})
    line, _, rest = index_file(path).read_bytes()[:-8].partition(b"\n")
    head = {key: value for key, value in json.loads(line).items() if key != name}
    index_file(path).write_bytes(with_sum(head, rest))
    assert read_index(path) is None
    assert not is_whole(path)
    for content in (b"", b"\xff\n", b"no line"):
        index_file(path).write_bytes(content + b"%08x" % zlib.crc32(content))
        assert read_index(path) is None
        assert read_head(path) == {}
    index_file(path).unlink()
    assert read_index(path) is None
    assert read_head(path) == {}


@pytest.mark.parametrize("flipped", [0, 60, 127, 128, 140, 159])
def test_rows_of_which_a_bit_is_another_are_not_whole(tmp_path, flipped):
    path = tmp_path / "features-a.npy"
    index = write(path, (2, 2), "<u2", 4, {})
    content = bytearray(path.read_bytes())
    assert len(content) == 160
    content[flipped] ^= 1
    path.write_bytes(content)
    write_index(path, replace(index, seen=()))
    assert not is_whole(path, deep=True)
    assert is_whole(path)  # its state is that of the last check
