"""The cache of decoded pixels."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from conftest import draw, draw_classes
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.scan import hash_files, scan
from foldproof.errors import DataError, StorageError


@pytest.fixture
def folder(tmp_path):
    draw_classes(tmp_path / "images", each=5, size=12)
    draw(tmp_path / "images" / "cat" / "wide.jpg", label=0, number=99, size=30)
    return tmp_path / "images"


def decode(folder, tmp_path, *, size=8, progress=None):
    dataset = scan(folder).dataset
    return decoded(dataset, Originals(folder, Form(size=size)), cache=tmp_path / "cache", progress=progress)


def test_pixels_are_those_of_pillow_in_manifest_order(folder, tmp_path):
    pixels = np.load(decode(folder, tmp_path), mmap_mode="r")
    samples = scan(folder).dataset.samples
    assert pixels.shape == (len(samples), 8, 8, 3)
    assert pixels.dtype == np.uint8
    for row, sample in zip(pixels, samples, strict=True):
        with Image.open(folder / sample.path) as image:
            assert np.array_equal(row, image.convert("RGB").resize((8, 8), Image.Resampling.BILINEAR))


def test_a_picture_that_has_the_size_already_stays_as_it_is(tmp_path):
    draw_classes(tmp_path / "images", size=28)
    pixels = np.load(decode(tmp_path / "images", tmp_path, size=28))
    for row, sample in zip(pixels, scan(tmp_path / "images").dataset.samples, strict=True):
        assert np.array_equal(row, Image.open(tmp_path / "images" / sample.path))


def test_a_whole_file_is_used_again_without_reading_an_image(folder, tmp_path):
    dataset = scan(folder).dataset
    made = decode(folder, tmp_path)
    before = made.stat()
    again = decoded(dataset, Originals(tmp_path / "gone", Form(size=8)), cache=tmp_path / "cache")
    assert again == made
    assert (again.stat().st_ino, again.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("where", [20, 400, -3])
def test_a_damaged_file_is_made_anew(folder, tmp_path, where):
    made = decode(folder, tmp_path)
    whole = made.read_bytes()
    broken = bytearray(whole)
    broken[where] ^= 1
    for content in (bytes(broken), whole[: len(whole) // 2], whole + b"x", b""):
        made.write_bytes(content)
        assert decode(folder, tmp_path).read_bytes() == whole


def test_neither_file_names_nor_their_folders_place_count(folder, tmp_path):
    made = decode(folder, tmp_path)
    (folder / "cat" / "000.png").rename(folder / "cat" / "renamed.PNG")
    assert decode(folder.rename(tmp_path / "elsewhere"), tmp_path) == made


def test_another_size_or_another_image_is_another_file(folder, tmp_path):
    made = {decode(folder, tmp_path), decode(folder, tmp_path, size=9)}
    draw(folder / "cat" / "new.png", label=0, number=50)
    made.add(decode(folder, tmp_path))
    assert len(made) == 3


def test_two_that_ask_at_once_get_the_same_whole_file(folder, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: decode(folder, tmp_path), range(4)))
    assert len(made) == 1
    assert np.load(made.pop()).shape == (16, 8, 8, 3)
    assert [path.suffix for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")].count(".npy") == 1


def test_all_unreadable_images_are_reported_at_once_and_no_file_is_left(folder, tmp_path):
    for number in range(4):
        (folder / "dog" / f"{number:03d}.png").write_bytes(b"no picture %d" % number)
    (folder / "eel" / "000.png").write_bytes(b"")
    names = [path.relative_to(folder).as_posix() for path in folder.glob("*/*")]
    dataset = Dataset.of([Sample(hashes.sha256, path[:3], path) for path, hashes in hash_files(folder, names).items()])
    with pytest.raises(DataError, match="5 of 16 images") as raised:
        decoded(dataset, Originals(folder, Form(size=8)), cache=tmp_path / "cache")
    said = str(raised.value)
    assert said.count(".png") == 3
    assert "and 2 more" in said
    assert str(tmp_path) not in said
    assert not list((tmp_path / "cache").glob("*.npy")) + list((tmp_path / "cache").glob("*.tmp"))


def test_an_image_that_changed_since_it_was_listed_is_not_kept_under_its_old_name(folder, tmp_path):
    dataset = scan(folder).dataset
    draw(folder / "cat" / "000.png", label=0, number=77)
    (folder / "cat" / "001.png").unlink()
    with pytest.raises(DataError, match="2 of 16") as raised:
        decoded(dataset, Originals(folder, Form(size=8)), cache=tmp_path / "cache")
    assert "cat/000.png: changed since it was listed" in str(raised.value)
    assert "cat/001.png" in str(raised.value)


def test_a_disk_without_room_is_noticed_before_anything_is_decoded(tmp_path):
    dataset = Dataset.of([Sample("0" * 64, "cat", "cat/nowhere.png")])
    with pytest.raises(StorageError, match="GB left"):
        decoded(dataset, Originals(tmp_path, Form(size=40_000_000)), cache=tmp_path / "cache")


def test_progress_is_told_up_to_the_last_image(folder, tmp_path):
    heard = []
    decode(folder, tmp_path, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (16, 16)
    assert heard == sorted(heard)
