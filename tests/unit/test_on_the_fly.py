"""Images that are not kept decoded: the pixels of the kept ones, bounded work ahead, files that changed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from conftest import draw_classes
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.at_hand import AtHand, decode_at_hand
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.on_the_fly import OnTheFly
from foldproof.data.pixels.originals import Originals
from foldproof.data.pixels.source import Selected, expect, opened
from foldproof.data.scan import scan
from foldproof.data.value_range import ValueRange
from foldproof.errors import DataError

FORM = Form(size=8, resize="pad")
ROW = 8 * 8 * 3 + 36  # bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_classes(tmp_path / "images", each=6, size=12)


def hand(dataset: Dataset, folder: Path, cache: Path, *, limit: float, form: Form = FORM) -> AtHand:
    originals = Originals(folder, form)
    return decode_at_hand(dataset, originals, cache=cache, limit_gb=limit / 1e9, progress=lambda *_: None)


@pytest.mark.parametrize("kept", [0, 7])
@pytest.mark.parametrize("is_expected", [False, True])
def test_pixels_are_those_of_the_kept_file_however_they_are_asked_for(folder, tmp_path, kept, is_expected):
    dataset = scan(folder).dataset
    whole = opened(hand(dataset, folder, tmp_path / "all", limit=1e9).images, dataset)
    part = opened(hand(dataset, folder, tmp_path / "part", limit=kept * ROW + 1).images, dataset)
    assert (part.shape, part.dtype, len(part)) == (whole.shape, whole.dtype, len(whole))
    parts = np.split(np.random.default_rng(0).permutation(len(dataset)), [5, 10, 11])
    if is_expected:
        expect(part, parts)
    for positions in [*parts, parts[0][:2]]:
        assert np.array_equal(part[positions], whole[positions])
    assert np.array_equal(part[3:9], whole[3:9])
    chosen = Selected(part, np.array([9, 2, 17]))
    assert (chosen.shape, chosen.dtype) == ((3, 8, 8, 3), whole.dtype)
    expect(chosen, [np.arange(0, 2), np.arange(2, 3)])
    assert np.array_equal(chosen[0:2], whole[[9, 2]])
    assert np.array_equal(chosen[2:3], whole[[17]])


def test_deep_pixels_are_those_of_the_kept_file(tmp_path):
    for number in range(4):
        (tmp_path / "images" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 4096, (9, 9), dtype=np.uint16)
        tifffile.imwrite(tmp_path / "images" / "ab"[number % 2] / f"{number}.tif", pixels)
    dataset = scan(tmp_path / "images").dataset
    form = Form(size=6, resize="squash", channels=1, within=ValueRange(0, 4095, 16))
    whole = opened(hand(dataset, tmp_path / "images", tmp_path / "all", limit=1e9, form=form).images, dataset)
    none = opened(hand(dataset, tmp_path / "images", tmp_path / "none", limit=1, form=form).images, dataset)
    assert none.dtype == whole.dtype == np.uint16
    assert np.array_equal(none[0:4], whole[0:4])


def test_what_does_not_fit_is_said_with_the_setting_that_would_change_it(folder, tmp_path):
    dataset = scan(folder).dataset
    found = hand(dataset, folder, tmp_path / "cache", limit=7 * ROW + 1)
    assert isinstance(found.images, Originals)
    assert found.images.kept is not None
    assert len(np.load(found.images.kept)) == 7
    assert "11 of 18 images are decoded each time they are needed" in found.said
    assert "set execution.cache_gb to 1" in found.said
    assert hand(dataset, folder, tmp_path / "cache", limit=1e9).said == ""


def test_a_disk_without_room_is_no_reason_not_to_train(folder, tmp_path):
    dataset = scan(folder).dataset
    found = hand(dataset, folder, tmp_path / "cache", limit=1e30, form=Form(size=40_000_000))
    assert found.images == Originals(folder, Form(size=40_000_000))
    assert "free some space" in found.said


def test_no_more_is_decoded_ahead_than_may_wait(folder, monkeypatch):
    dataset = scan(folder).dataset
    monkeypatch.setattr("foldproof.data.pixels.on_the_fly.AHEAD_BYTES", 3 * 2 * 8 * 8 * 3)  # three parts of two images
    images = OnTheFly(Originals(folder, FORM), dataset)
    taken = []

    def parts():
        for start in range(0, 18, 2):
            taken.append(start)
            yield np.arange(start, start + 2)

    images.expect(parts())
    assert len(taken) == 3
    images[np.arange(2)]
    assert len(taken) == 4


@pytest.mark.parametrize("is_expected", [False, True])
def test_a_file_that_changed_or_went_meanwhile_is_named(folder, is_expected):
    dataset = scan(folder).dataset
    images = OnTheFly(Originals(folder, FORM), dataset)
    first, second = dataset.samples[:2]
    shutil.copy(folder / dataset.samples[5].path, folder / first.path)
    (folder / second.path).unlink()
    for position, why in ((0, f"{first.path}: changed since"), (1, f"{second.path}: cannot be read: No such file")):
        if is_expected:
            images.expect([np.array([position])])
        with pytest.raises(DataError, match=why) as caught:
            images[np.array([position])]
        assert "put it back" in caught.value.next_step


def test_what_was_expected_before_is_forgotten_when_something_else_is(folder):
    dataset = scan(folder).dataset
    images = OnTheFly(Originals(folder, FORM), dataset)
    whole = images[np.arange(len(dataset))]
    one_by_one = [np.array([at]) for at in range(len(dataset))]
    for _ in range(3):
        expect(images, one_by_one)
    for at, position in enumerate(one_by_one):
        assert np.array_equal(images[position], whole[[at]])
