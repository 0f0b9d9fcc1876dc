"""Reading many files once, and not at all where nothing changed."""

import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from conftest import draw, draw_classes
from foldproof.data import examine, index
from foldproof.data.examine import Trouble, examine_image
from foldproof.data.index import FileIndex
from foldproof.data.scan import scan
from foldproof.data.survey import Survey

YOUNG_SECONDS = 0.05


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Nine images, old enough to be trusted."""
    draw_classes(tmp_path / "images", each=3)
    monkeypatch.setattr(index, "YOUNG_NS", YOUNG_SECONDS * 1e9)
    time.sleep(YOUNG_SECONDS + 0.02)
    return tmp_path / "images"


def look(folder, file, *, deep=False, heard=None):
    def progress(what, done, total):
        if heard is not None:
            heard.append((done, total))

    with FileIndex(file) as remembered:
        return scan(folder, how=Survey(index=remembered, deep=deep, progress=progress))


@pytest.fixture
def opened(monkeypatch):
    """The files that are opened, in the order of their names."""
    seen = []

    def noticing(real):
        def examine_noticed(path, **how):
            seen.append(path.name)
            return real(path, **how)

        return examine_noticed

    for name in ("examine_image", "examine_file"):
        monkeypatch.setattr(f"foldproof.data.survey.{name}", noticing(getattr(examine, name)))
    return seen


def test_an_unchanged_folder_is_not_read_again_and_gives_the_same(folder, tmp_path, opened):
    first = look(folder, tmp_path / "index.sqlite")
    assert len(opened) == 9
    again = look(folder, tmp_path / "index.sqlite")
    assert len(opened) == 9
    assert again == first


def test_what_is_remembered_is_what_reading_finds(folder, tmp_path):
    (folder / "cat" / "broken.png").write_bytes(b"no picture")
    look(folder, tmp_path / "index.sqlite")
    assert look(folder, tmp_path / "index.sqlite") == scan(folder)


@pytest.mark.slow
def test_a_file_that_changed_in_any_way_is_read_again(folder, tmp_path, opened):
    look(folder, tmp_path / "index.sqlite")
    opened.clear()
    image = folder / "cat" / "000.png"
    before, content = image.stat(), bytearray(image.read_bytes())
    content[-20] ^= 1
    image.write_bytes(content)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))  # same size, the old time
    (folder / "dog" / "001.png").replace(folder / "dog" / "002.png")
    draw(folder / "eel" / "new.png", label=2, number=40)
    found = look(folder, tmp_path / "index.sqlite")
    assert sorted(opened) == ["000.png", "002.png", "new.png"]
    assert found == scan(folder)


def test_two_files_that_were_swapped_are_both_read_again(folder, tmp_path):
    before = look(folder, tmp_path / "index.sqlite")
    one, other = folder / "cat" / "000.png", folder / "dog" / "000.png"
    one.rename(folder / "x.png")
    other.rename(one)
    (folder / "x.png").rename(other)
    after = look(folder, tmp_path / "index.sqlite")
    assert after.md5["cat/000.png"] == before.md5["dog/000.png"]
    assert after.md5["dog/000.png"] == before.md5["cat/000.png"]


def test_a_file_younger_than_its_entry_is_read_again(tmp_path, opened):
    draw_classes(tmp_path / "images", each=2)
    look(tmp_path / "images", tmp_path / "index.sqlite")
    look(tmp_path / "images", tmp_path / "index.sqlite")
    assert len(opened) == 12


@pytest.mark.slow
def test_a_copy_with_other_times_is_hashed_and_not_decoded_again(folder, tmp_path, monkeypatch):
    look(folder, tmp_path / "index.sqlite")
    for image in folder.rglob("*.png"):
        content = image.read_bytes()
        image.unlink()
        image.write_bytes(content)
    decoded = []
    monkeypatch.setattr("foldproof.data.examine.decode", lambda name, *_, **__: decoded.append(name))
    look(folder, tmp_path / "index.sqlite")
    assert decoded == []


def test_equal_contents_are_decoded_once(folder, tmp_path, monkeypatch):
    for number in range(200):
        (folder / "cat" / f"copy{number}.png").write_bytes((folder / "cat" / "000.png").read_bytes())
    real, decoded = examine.decode, []

    def decode(name, content, **how):
        decoded.append(name)
        return real(name, content, **how)

    monkeypatch.setattr("foldproof.data.examine.decode", decode)
    assert len(look(folder, tmp_path / "index.sqlite").pictures) == 209
    assert len(decoded) < 9 + 2 * os.cpu_count() + 2  # threads may begin one content at once


@pytest.mark.slow
def test_deep_reads_everything_and_finds_bytes_that_rotted(folder, tmp_path, opened):
    look(folder, tmp_path / "index.sqlite")
    with sqlite3.connect(
        tmp_path / "index.sqlite"
    ) as database:  # as if these bytes had been others when they were read
        database.execute("UPDATE files SET sha256 = ?, md5 = ? WHERE path = ?", ("0" * 64, "0" * 32, "cat/000.png"))
    opened.clear()
    found = look(folder, tmp_path / "index.sqlite", deep=True)
    assert len(opened) == 9
    assert found.troubles["cat/000.png"].code == "bit-rot"
    assert "cat/000.png" not in {sample.path for sample in found.dataset.samples}
    assert look(folder, tmp_path / "index.sqlite").md5 == scan(folder).md5


def test_contents_of_other_versions_are_remembered_until_there_are_too_many(folder, tmp_path, monkeypatch):
    def remembered():
        with FileIndex(tmp_path / "index.sqlite") as opened:
            return len(opened.pictures())

    look(folder, tmp_path / "index.sqlite")
    for number in range(2):
        draw(folder / "cat" / "000.png", label=0, number=50 + number)
        look(folder, tmp_path / "index.sqlite")
    assert remembered() == 11
    monkeypatch.setattr("foldproof.data.survey.SPARE", 1)
    monkeypatch.setattr("foldproof.data.survey.SPARE_ANYWAY", 1)
    assert look(folder, tmp_path / "index.sqlite") == scan(folder)
    assert remembered() == 9


@pytest.mark.slow
def test_an_index_that_is_damaged_is_made_anew(folder, tmp_path):
    whole = look(folder, tmp_path / "index.sqlite")
    content = (tmp_path / "index.sqlite").read_bytes()
    for broken in (b"no database at all" * 100, content[: len(content) // 2], b""):
        (tmp_path / "index.sqlite").write_bytes(broken)
        assert look(folder, tmp_path / "index.sqlite") == whole


def test_where_no_index_can_be_written_it_works_without(folder, tmp_path):
    (tmp_path / "file").touch()
    assert look(folder, tmp_path / "file" / "index.sqlite") == scan(folder)


@pytest.mark.slow
def test_several_that_look_at_once_share_an_index(folder, tmp_path):
    start = threading.Barrier(4)

    def one(_):
        start.wait(timeout=10)
        return look(folder, tmp_path / "index.sqlite")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    assert all(item == found[0] for item in found)


def test_progress_ends_with_all_files(folder, tmp_path):
    heard = []
    look(folder, tmp_path / "index.sqlite", heard=heard)
    assert heard[-1] == (9, 9)


def test_a_file_that_changes_while_it_is_read_is_a_trouble(tmp_path, monkeypatch):
    draw(tmp_path / "a.png", label=0, number=0)
    real = os.fstat

    def fstat(descriptor):
        found = real(descriptor)
        with (tmp_path / "a.png").open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr("foldproof.data.examine.os.fstat", fstat)
    found = examine_image(tmp_path / "a.png", most_pixels=100, is_known=lambda _: False)
    assert found.trouble.code == "changed-while-read"
    assert found.stamp is None


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="everything can be read here")
def test_a_file_without_permission_is_a_trouble(folder):
    (folder / "cat" / "000.png").chmod(0)
    assert scan(folder).troubles["cat/000.png"].code == "unreadable"


def test_a_file_that_vanishes_is_a_trouble(tmp_path):
    found = examine_image(tmp_path / "gone.png", most_pixels=100, is_known=lambda _: False)
    assert found.trouble == Trouble("unreadable", "cannot be read: No such file or directory")


def test_pictures_with_the_same_pixels_have_the_same_digest_whatever_their_files(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 5, 3), dtype=np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    (tmp_path / "a").mkdir()
    noise.save(tmp_path / "a" / "1.png")
    noise.save(tmp_path / "a" / "2.bmp")
    noise.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a" / "3.png", exif=turned)
    noise.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a" / "4.png")
    pixels = {path: picture.pixels for path, picture in scan(tmp_path).pictures.items()}
    assert pixels["a/1.png"] == pixels["a/2.bmp"] == pixels["a/3.png"]
    assert pixels["a/4.png"] != pixels["a/1.png"]
