"""Decoded images that are kept: a limit, copies between files, other processes, damage, the command."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from filelock import FileLock

from conftest import draw, draw_classes
from foldproof.cli.data import command
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.rows import cache as pixel_cache
from foldproof.data.rows.files import index_file, is_whole, read_index, write_index
from foldproof.data.scan import scan
from foldproof.errors import StorageError

ROOM = 16 * (8 * 8 * 3 + 36) + 1_000  # bytes: one file of 16 images of 8 pixels, and no second


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_classes(tmp_path / "images", each=5, size=12)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def decode(folder: Path, cache: Path, *, size: int = 8, limit: float = 1e9) -> Path:
    return decoded(scan(folder).dataset, Originals(folder, Form(size=size)), cache=cache, limit_gb=limit / 1e9)


def elsewhere(code: str, *arguments: Path, wait: bool = True) -> subprocess.Popen[str]:
    """A process that runs `code` after the imports; waited for, or until it says a line."""
    head = """
        import sys, time
        from pathlib import Path
        from foldproof.data.pixels.fitted import Form
        from foldproof.data.pixels.images import decoded
        from foldproof.data.pixels.originals import Originals
        from foldproof.data.scan import scan
        folder, cache = map(Path, sys.argv[1:])
        dataset = scan(folder).dataset
        def decode(size=8, progress=None):
            return decoded(dataset, Originals(folder, Form(size=size)), cache=cache, progress=progress)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if wait:
        assert process.stdout is not None
        assert process.stdout.readline(), process.communicate(timeout=60)[1]
    return process


def files(cache: Path) -> set[str]:
    return {path.name for path in cache.glob("*.npy")}


def forget_use() -> None:
    """As if this process had ended."""
    for path in list(pixel_cache._marks):
        pixel_cache._marks.pop(path).release()


def test_images_that_another_file_has_are_not_decoded_again(folder: Path, cache: Path, tmp_path: Path) -> None:
    decode(folder, cache)
    draw(folder / "cat" / "new.png", label=0, number=50)
    dataset = scan(folder).dataset
    only_new = tmp_path / "only new"
    (only_new / "cat").mkdir(parents=True)
    shutil.copy(folder / "cat" / "new.png", only_new / "cat" / "new.png")
    made = decoded(dataset, Originals(only_new, Form(size=8)), cache=cache)
    fresh = decoded(dataset, Originals(folder, Form(size=8)), cache=tmp_path / "fresh")
    assert made.read_bytes() == fresh.read_bytes()


def test_a_damaged_row_of_another_file_is_decoded_instead_of_copied(folder: Path, cache: Path, tmp_path: Path) -> None:
    made = decode(folder, cache)
    content = bytearray(made.read_bytes())
    content[-5] ^= 1
    made.write_bytes(content)
    draw(folder / "cat" / "new.png", label=0, number=50)
    assert decode(folder, cache).read_bytes() == decode(folder, tmp_path / "fresh").read_bytes()


def test_another_size_is_not_copied(folder: Path, cache: Path, tmp_path: Path) -> None:
    decode(folder, cache, size=9)
    assert decode(folder, cache).read_bytes() == decode(folder, tmp_path / "fresh").read_bytes()


def test_the_least_recently_used_go_first_so_that_the_total_stays_within_the_limit(folder: Path, cache: Path) -> None:
    old, older = decode(folder, cache, size=8), decode(folder, cache, size=9)
    forget_use()
    os.utime(index_file(older), (1, 1))
    os.utime(index_file(old), (2, 2))
    total = sum(item.bytes for item in pixel_cache.kept(cache))
    new = decode(folder, cache, size=7, limit=total)
    assert files(cache) == {old.name, new.name}
    assert not index_file(older).exists()
    assert sum(item.bytes for item in pixel_cache.kept(cache)) <= total


def test_to_use_a_file_again_counts_as_its_last_use(folder: Path, cache: Path) -> None:
    first, second = decode(folder, cache, size=8), decode(folder, cache, size=9)
    os.utime(index_file(first), (1, 1))
    decode(folder, cache, size=8)
    assert [item.path for item in pixel_cache.kept(cache)] == [first, second]


def test_one_file_larger_than_the_limit_is_refused_with_what_to_set(folder: Path, cache: Path) -> None:
    with pytest.raises(StorageError, match=r"take 0\.0 GB and execution\.cache_gb is 1e-06") as caught:
        decode(folder, cache, limit=1_000)
    assert "set execution.cache_gb to 1" in caught.value.next_step
    assert not files(cache)


@pytest.mark.slow
def test_a_file_that_a_living_process_uses_stays(folder: Path, cache: Path) -> None:
    other = elsewhere("print(decode().name, flush=True); time.sleep(60)", folder, cache)
    try:
        (used,) = files(cache)
        decode(folder, cache, size=9, limit=ROOM)
        assert used in files(cache)
        with pytest.raises(StorageError, match="in use by a run"):
            pixel_cache.clear(cache)
        assert len(files(cache)) == 2
    finally:
        other.kill()
        other.communicate(timeout=60)
    forget_use()
    assert pixel_cache.clear(cache) > 0
    assert not files(cache)
    assert not list(cache.glob("*.use-*"))


@pytest.mark.slow
def test_two_processes_at_once_decode_once(folder: Path, cache: Path) -> None:
    code = """
        heard = []
        def slowly(done, total):
            heard.append(done)
            time.sleep(0.5)
        print("start", flush=True)
        path = decode(progress=slowly)
        print(bool(heard), path.name, flush=True)
    """
    both = [elsewhere(code, folder, cache, wait=False) for _ in range(2)]
    said = [process.communicate(timeout=120)[0].split()[1:] for process in both]
    assert sorted(built for built, _ in said) == ["False", "True"]
    assert len({name for _, name in said} | files(cache)) == 1


@pytest.mark.slow
def test_what_a_killed_builder_left_is_removed_by_the_next(folder: Path, cache: Path) -> None:
    wait = """
        def stop(done, total):
            print("half-way", flush=True)
            time.sleep(60)
        decode({size}, progress=stop)
    """
    for size in (8, 9):
        killed = elsewhere(wait.format(size=size), folder, cache)
        killed.kill()
        killed.communicate(timeout=60)
        assert len(list(cache.glob(".*.tmp"))) == 1  # the second cleaned up after the first
    busy = elsewhere(wait.format(size=7), folder, cache)
    try:
        decode(folder, cache)
        assert len(list(cache.glob(".*.tmp"))) == 1  # of the one that lives
        with pytest.raises(StorageError, match="in use"):
            pixel_cache.clear(cache)
    finally:
        busy.kill()
        busy.communicate(timeout=60)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes there")
def test_a_disk_that_fills_up_half_way_is_said_with_the_file_and_leaves_nothing(folder: Path, cache: Path) -> None:
    code = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
        from foldproof.errors import StorageError
        try:
            decode()
        except StorageError as error:
            print(error.what, flush=True)
    """
    (said, complaints) = elsewhere(code, folder, cache, wait=False).communicate(timeout=60)
    assert f"cannot write {cache}" in said, complaints
    assert "File too large" in said
    assert not list(cache.glob("*.npy")) + list(cache.glob(".*.tmp"))


def test_an_altered_file_with_its_old_time_is_still_noticed(folder: Path, cache: Path) -> None:
    made = decode(folder, cache)
    whole, stat = made.read_bytes(), made.stat()
    time.sleep(0.02)
    with made.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(bytes([whole[-1] ^ 1]))
    os.utime(made, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert decode(folder, cache).read_bytes() == whole


def test_a_cache_that_was_copied_is_checked_and_used(folder: Path, cache: Path, tmp_path: Path) -> None:
    made = decode(folder, cache)
    dataset = scan(folder).dataset
    there = shutil.copytree(cache, tmp_path / "copied")
    again = decoded(dataset, Originals(tmp_path / "gone", Form(size=8)), cache=there)
    assert again.read_bytes() == made.read_bytes()
    seen = read_index(again)
    assert seen is not None
    assert seen.seen[0] == again.stat().st_ino


def test_damage_below_the_file_system_is_found_when_asked(folder: Path, cache: Path) -> None:
    made = decode(folder, cache)
    content = bytearray(made.read_bytes())
    content[-1] ^= 1
    made.write_bytes(content)
    index = read_index(made)
    assert index is not None
    write_index(made, index)
    assert is_whole(made)
    assert not is_whole(made, deep=True)
    assert [item.path for item in pixel_cache.damaged(cache)] == [made]


@pytest.mark.parametrize("where", [0, 30, 700, -1])
def test_a_damaged_or_missing_index_costs_no_more_than_a_decoding(folder: Path, cache: Path, where: int) -> None:
    made = decode(folder, cache)
    whole, index = made.read_bytes(), bytearray(index_file(made).read_bytes())
    index[where] ^= 1
    index_file(made).write_bytes(index)
    assert read_index(made) is None
    assert decode(folder, cache).read_bytes() == whole
    index_file(made).unlink()
    assert [(item.images, item.bytes) for item in pixel_cache.kept(cache)] == [(0, len(whole))]
    assert decode(folder, cache).read_bytes() == whole


def test_an_index_from_before_other_rows_were_kept_is_still_read(folder: Path, cache: Path) -> None:
    made = decode(folder, cache)
    head, _, rest = index_file(made).read_bytes()[:-8].partition(b"\n")
    old = {name: value for name, value in json.loads(head).items() if name not in ("row", "number", "bits", "channels")}
    content = json.dumps(old).encode() + b"\n" + rest
    index_file(made).write_bytes(content + b"%08x" % zlib.crc32(content))
    index = read_index(made)
    assert index is not None
    assert (index.shape, index.number) == ((15, 8, 8, 3), "|u1")
    assert is_whole(made, deep=True)


def test_the_command_lists_verifies_and_clears(tiny_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_project)
    cache = tiny_project / ".foldproof" / "cache"
    call = CliRunner().invoke
    assert json.loads(call(command, ["cache", "--json"]).stdout)["caches"] == []
    made = decode(tiny_project / "images", cache)
    said = json.loads(call(command, ["cache", "--json", "--verify"]).stdout)
    (item,) = said["caches"]
    assert (item["images"], item["size"], item["resize"], item["path"]) == (18, 8, "squash", made.name)
    assert (item["kind"], item["channels"], item["bits"]) == ("images", 3, 8)
    assert said["bytes"] == item["bytes"] == made.stat().st_size + index_file(made).stat().st_size
    assert (said["limit_bytes"], said["damaged"]) == (50 * 10**9, [])
    shown = call(command, ["cache"]).stdout
    assert "18" in shown
    assert "of at most 50 GB (execution.cache_gb)" in shown
    forget_use()
    cleared = json.loads(call(command, ["cache", "--clear", "--json"]).stdout)
    assert (cleared["freed_bytes"], cleared["caches"]) == (said["bytes"], [])
    assert not files(cache)


def test_clearing_leaves_nothing_of_killed_builders_and_nothing_is_cleared_that_is_in_use(
    folder: Path, cache: Path
) -> None:
    made = decode(folder, cache)
    (cache / ".images-0123.npy-abcd.tmp").touch()
    with pytest.raises(StorageError, match="in use by a run"):
        pixel_cache.clear(cache)
    assert made.exists()
    forget_use()
    bytes_kept = made.stat().st_size + index_file(made).stat().st_size
    assert pixel_cache.clear(cache) == bytes_kept
    assert {path.suffix for path in cache.iterdir()} <= {".lock"}


def test_rows_fit_their_dataset_after_many_changes(folder: Path, cache: Path, tmp_path: Path) -> None:
    for step in range(4):
        draw(folder / "dog" / f"new {step}.png", label=1, number=60 + step)
        (folder / "eel" / f"{step:03d}.png").unlink()
        samples = scan(folder).dataset.samples
        made = decoded(Dataset.of(samples), Originals(folder, Form(size=8)), cache=cache)
        fresh = decoded(Dataset.of(samples), Originals(folder, Form(size=8)), cache=tmp_path / f"fresh {step}")
        assert np.array_equal(np.load(made), np.load(fresh))


def test_a_mark_of_a_living_process_stays_however_often_it_is_looked_at(tmp_path: Path) -> None:
    path, mark = tmp_path / "images-a.npy", tmp_path / "images-a.use-host-1-aaaa"
    held = FileLock(mark)
    held.acquire()
    assert pixel_cache.is_in_use(path)
    assert pixel_cache.is_in_use(path)
    assert mark.exists()
    held.release()
    mark.touch()
    assert not pixel_cache.is_in_use(path)
    assert not mark.exists()


@pytest.mark.parametrize("images", [None, "many", [3]])
def test_a_file_whose_index_says_nonsense_is_listed_without_images(tmp_path: Path, images: object) -> None:
    np.save(tmp_path / "images-a.npy", np.zeros((2, 8, 8, 3), dtype=np.uint8))
    head = {"v": 1, "images": images, "row": [8, 8, 3], "number": "|u1", "decoder": "d", "size": 8}
    index_file(tmp_path / "images-a.npy").write_text(json.dumps(head) + "\n")
    (found,) = pixel_cache.kept(tmp_path)
    assert (found.images, found.row, found.maker, dict(found.about)) == (0, (), "", {})


def test_what_is_listed_of_a_file_is_what_its_form_says_and_no_more(folder: Path, cache: Path) -> None:
    path = decode(folder, cache)
    (found,) = pixel_cache.kept(cache)
    assert (found.path, found.kind, found.images, found.row) == (path, "images", 15, (8, 8, 3))
    assert dict(found.about) == {"size": 8, "resize": "squash", "channels": 3, "bits": 8}
    assert found.bytes == path.stat().st_size + index_file(path).stat().st_size
    index = read_index(path)
    assert index is not None
    assert dict(index.about) == dict(found.about)
