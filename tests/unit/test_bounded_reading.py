"""Whatever stands in the place of a file of a project, reading it ends: pipes, devices and folders are refused."""

import io
import json
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foldproof.cli.compare import _of_csv
from foldproof.config.read import load_settings
from foldproof.data.exclusions import read_exclusions
from foldproof.data.heads import size_of
from foldproof.data.labels.from_splits import folds_in
from foldproof.data.readers import decode
from foldproof.data.tables.table import read_table
from foldproof.data.turns import PixelTurns
from foldproof.errors import BadImage, DamagedFile, DataError, FoldproofError
from foldproof.storage import limits, parse_json, read_file, read_json_inside
from foldproof.storage.columns import read_parquet

READERS = {
    "params.yaml": load_settings,
    "excluded.csv": read_exclusions,
    "labels.csv": read_table,
    "labels.parquet": read_table,
    "splits_final.json": lambda path: folds_in(path, ["a.png"], folder=path.parent),
    "others.csv": _of_csv,
    "folds.csv": lambda path: read_file(path, most_bytes=limits.FOLDS_BYTES),
    "run.json": lambda path: read_json_inside(path.parent, path.name, most_bytes=limits.FACTS_BYTES),
}


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def a_link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_link_to_the_terminal(path: Path) -> None:
    path.symlink_to("/dev/tty")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 * 2**30)


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither named pipes nor devices in folders")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "thing", [a_pipe, a_link_to_a_pipe, a_link_to_zeros, a_link_to_the_terminal, a_folder, a_huge_file]
)
def test_what_is_no_plain_file_is_refused_and_nothing_waits(tmp_path, name, thing):
    thing(tmp_path / name)
    with pytest.raises((FoldproofError, IsADirectoryError)):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", ["params.yaml", "excluded.csv", "labels.csv", "others.csv"])
def test_a_file_of_the_users_own_may_be_a_link(tmp_path, name):
    content = {"params.yaml": "version: 1\n", "excluded.csv": "v,path,label,sha256,code,reason\n"}
    (tmp_path / "shared").write_text(content.get(name, "experiment,fold,score\na,0,0.5\na,1,0.6\n"))
    (tmp_path / name).symlink_to("shared")
    READERS[name](tmp_path / name)


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '{"a":NaN}', '{"a":1e999}', f'{{"a":{10**400}}}', f'{{"a":{"9" * 5000}}}', '{"a":"\\ud800"}',
     "[" * 200 + "]" * 200, '{"a":' * 2000 + "1" + "}" * 2000, "\ufeff{}", "", "{", "nul"],
)  # fmt: skip
def test_json_that_no_run_writes_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - of json, of the decoder and of ours
        parse_json(text.encode())


@pytest.mark.parametrize("value", [{"a": [1, -1, 0.1, 2**63, "é", "\U0001f600", None, True]}, [], "x", 1])
def test_json_that_a_run_writes_is_read(value):
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


BOMBS = {
    "one long text, a thousand times": pa.table(
        {"label": pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 10**6]))}
    ),
    "one number in every place": pa.table({"p": pa.array([np.full(500, 0.5, np.float32)] * 100_000)}),
    "more rows than any project has": pa.table({"p": pa.nulls(3_000_000, pa.int8())}),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BOMBS)
def test_a_small_parquet_file_that_would_become_gigabytes_is_refused(what):
    made = io.BytesIO()
    pq.write_table(BOMBS[what], made, compression="zstd")
    before = pa.total_allocated_bytes()
    with pytest.raises(ValueError, match=r"would become|rows"):
        read_parquet(made.getvalue(), most_rows=limits.IMAGES, columns=["label", "p"])
    assert pa.total_allocated_bytes() - before < 2**26


@pytest.mark.slow
def test_a_page_that_unpacks_to_a_gigabyte_is_refused_by_its_header():
    made = io.BytesIO()
    pq.write_table(pa.table({"label": ["x" * 10**6] * 300}), made, compression="zstd", use_dictionary=False)
    assert len(made.getvalue()) < 200_000
    with pytest.raises(ValueError, match="would become"):
        read_parquet(made.getvalue(), most_rows=1000)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_tables_of_other_tools_are_read_as_they_are(compression, version):
    table = pa.table({"path": [f"{n}.png" for n in range(5000)], "label": ["a", "b"] * 2500, "n": range(5000)})
    made = io.BytesIO()
    pq.write_table(table, made, compression=compression, data_page_version=version, row_group_size=700)
    assert read_parquet(made.getvalue(), most_rows=5000).equals(table)


def test_nested_columns_are_left_out_of_a_table_of_labels(tmp_path):
    table = pa.table({"path": ["a.png"], "label": ["a"], "image": [{"bytes": b"x", "path": "y"}]})
    pq.write_table(table, tmp_path / "labels.parquet")
    assert read_table(tmp_path / "labels.parquet").columns == ("path", "label")


def webp(width: int, height: int) -> bytes:
    """A picture of one colour, of 28 bytes whatever its size."""
    bits = 0x2F | (width - 1) << 8 | (height - 1) << 22
    for at, value in ((43, 1), (47, 1), (51, 1), (55, 1), (59, 1)):
        bits |= value << at
    data = bits.to_bytes(8, "little")
    return b"RIFF" + struct.pack("<L", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<L", len(data)) + data


def test_a_webp_of_a_few_bytes_and_gigabytes_of_pixels_is_refused_by_its_head():
    assert len(webp(16_000, 8_000)) == 28
    assert size_of(webp(16_000, 8_000)) == (16_000, 8_000)
    with pytest.raises(BadImage, match="16000 x 8000 in 28 bytes"):
        decode("a.webp", webp(16_000, 8_000))
    assert decode("a.webp", webp(300, 200)).pixels.shape == (200, 300, 3)


def test_a_tiff_whose_tile_is_far_larger_than_its_picture_is_refused():
    packed = zlib.compress(bytes(1000))
    tags = [(256, 4, 8), (257, 4, 8), (258, 3, 16), (259, 3, 8), (262, 3, 1), (277, 3, 1), (322, 4, 26_000),
            (323, 4, 26_000), (324, 4, 8), (325, 4, len(packed)), (339, 3, 1)]  # fmt: skip
    entries = b"".join(struct.pack("<HHLL", code, kind, 1, value) for code, kind, value in tags)
    packed += b"\0" * (len(packed) % 2)
    content = struct.pack("<2sHL", b"II", 42, 8 + len(packed)) + packed
    content += struct.pack("<H", len(tags)) + entries + bytes(4)
    with pytest.raises(BadImage, match="tiles of 26000 x 26000"):
        decode("a.tif", content)


def test_pixels_are_decoded_in_turns_and_never_more_than_allowed_at_one_time():
    turns, held, most, done = PixelTurns(100), [0], [0], []
    lock = threading.Lock()

    def work(pixels: int) -> None:
        with turns.taken(pixels), turns.taken(pixels):
            with lock:
                held[0] += min(pixels, 100)
                most[0] = max(most[0], held[0])
            threading.Event().wait(0.002)
            with lock:
                held[0] -= min(pixels, 100)
        done.append(pixels)

    threads = [threading.Thread(target=work, args=(pixels,)) for pixels in [60, 10, 30, 500, 1, 40, 99, 100, 0] * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(done) == len(threads)
    assert 0 < most[0] <= 100


def test_every_limit_has_a_unit_and_a_reason():
    assert len(limits.TABLE) > 30
    for name, limit in limits.TABLE.items():
        assert limit > 0, name
        assert limit.unit
        assert limit.why


def test_a_csv_with_a_cell_that_is_too_long_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\n" + "x" * 200_000 + ",a\n")
    with pytest.raises(DataError):
        read_table(tmp_path / "labels.csv")
    (tmp_path / "others.csv").write_text("experiment,fold,score\n" + "x" * 200_000 + ",0,1\n")
    with pytest.raises(DamagedFile):
        _of_csv(tmp_path / "others.csv")


@pytest.mark.parametrize("dictionary", [True, False])
def test_a_table_without_a_row_is_a_table(dictionary):
    empty = pa.table({"path": pa.array([], pa.string()), "p": pa.array([], pa.float32())})
    stream = io.BytesIO()
    pq.write_table(empty, stream, use_dictionary=dictionary)
    assert read_parquet(stream.getvalue(), most_rows=10).num_rows == 0
