"""Images of more than 8 bits as a set: what range they share, what does not go together, and how they look."""

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from foldproof.cli.main import run_command
from foldproof.config.schema import DataSettings
from foldproof.data.checks.card import render_markdown
from foldproof.data.checks.findings import CODES
from foldproof.data.examine import look
from foldproof.data.index import FileIndex
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals, decoded_original
from foldproof.data.readers import Image as Decoded
from foldproof.data.scan import scan
from foldproof.data.survey import Survey
from foldproof.data.value_range import ValueRange
from foldproof.errors import DamagedFile
from foldproof.records.facts import range_in_use, read_facts
from foldproof.training_data.inspection import inspect
from journaled import JournaledRun

RANDOM = np.random.default_rng(5)


def write(folder: Path, name: str, pixels: np.ndarray, **how: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels, **how)
    elif pixels.dtype == np.uint16:
        path.write_bytes(imagecodecs.png_encode(pixels))
    else:
        Image.fromarray(pixels).save(path)


def of_12_bits(*, low: int = 100, high: int = 3000) -> np.ndarray:
    return RANDOM.integers(low, high + 1, (70, 80), dtype=np.uint16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ("cat", "dog"):
        for number in range(3):
            write(tmp_path / "images", f"{label}/{number}.tif", of_12_bits(), compression="lzw")
    return tmp_path / "images"


def looked(folder: Path, **data: object):
    return inspect(folder, DataSettings(path=str(folder), **data))


def findings(folder: Path, **data: object) -> dict[str, str]:
    return {finding.code: finding.subject for finding in looked(folder, **data).findings if finding.code != "shortcut"}


def test_images_of_12_bits_in_files_of_16_are_fine_and_share_their_own_range(folder: Path):
    pixels = of_12_bits()
    pixels[0, 0], pixels[1, 1] = 7, 4095
    write(folder, "dog/extremes.tif", pixels)
    seen = looked(folder)
    assert seen.within == ValueRange(7.0, 4095.0, 16)
    assert [finding for finding in seen.findings if finding.code != "shortcut"] == []


def test_the_range_is_that_of_the_images_that_are_trained(folder: Path):
    pixels = of_12_bits()
    pixels[0, 0] = 60_000
    write(folder, "dog/a.tif", pixels)
    assert looked(folder).within.high == 60_000
    (folder / "dog" / "a.tif").unlink()
    assert looked(folder).within.high <= 3000


def test_8_bit_images_have_no_range_and_the_data_card_does_not_speak_of_one(tmp_path: Path):
    write(tmp_path / "images", "cat/a.png", RANDOM.integers(0, 256, (70, 80), dtype=np.uint8))
    seen = looked(tmp_path / "images")
    assert seen.within is None
    assert "values" not in seen.card()


def test_a_given_range_is_taken_and_what_it_cuts_off_is_said(folder: Path):
    assert looked(folder, range=(0.0, 3000.0)).within == ValueRange(0.0, 3000.0, 16)
    assert findings(folder, range=(0.0, 3000.0)) == {}
    assert set(findings(folder, range=(0.0, 2500.0))) == {"cut-off"}


@pytest.mark.parametrize("given", [(0.0, 50.0), (10_000.0, 65_535.0)])
def test_a_range_that_would_make_images_white_or_black_stops(folder: Path, given: tuple[float, float]):
    assert {finding.code for finding in looked(folder, range=given).errors} == {"outside-range"}


def test_a_range_for_8_bit_images_stops(tmp_path: Path):
    write(tmp_path / "images", "cat/a.png", RANDOM.integers(0, 256, (70, 80), dtype=np.uint8))
    assert findings(tmp_path / "images", range=(0.0, 10.0)) == {"needless-range": "data.range"}


def test_kinds_that_no_range_fits_stop_with_an_image_of_the_rarer_kind(folder: Path):
    write(folder, "dog/b.png", RANDOM.integers(0, 256, (70, 80), dtype=np.uint8))
    write(folder, "cat/c.tif", RANDOM.random((70, 80), dtype=np.float32))
    found = [finding for finding in looked(folder).errors if finding.code == "mixed-depth"]
    assert {finding.subject for finding in found} == {"dog/b.png", "cat/c.tif"}
    assert {finding.subject: finding.text for finding in found}[
        "dog/b.png"
    ] == "8 bits a channel, as 1 are; 6 are whole numbers of more than 8 bits"
    assert len(looked(folder).dataset) == 6


def test_the_few_of_another_depth_are_named_and_left_out_and_never_the_many(tmp_path: Path):
    for number in range(9):
        write(tmp_path / "images", f"cat/{number}.png", RANDOM.integers(0, 256, (70, 80), dtype=np.uint8))
    write(tmp_path / "images", "dog/deep.tif", of_12_bits())
    seen = looked(tmp_path / "images")
    assert [(finding.code, finding.subject) for finding in seen.errors] == [("mixed-depth", "dog/deep.tif")]
    assert CODES["mixed-depth"].excludable
    assert (len(seen.dataset), seen.within) == (9, None)


def test_a_png_of_16_bits_among_others_is_brought_to_bytes_from_its_full_scale(tmp_path: Path):
    bytes_ = RANDOM.integers(0, 256, (70, 80, 3), dtype=np.uint8)
    write(tmp_path / "images", "dog/deep.png", bytes_.astype(np.uint16) * 257)
    for number in range(3):
        write(tmp_path / "images", f"cat/{number}.png", RANDOM.integers(0, 256, (70, 80, 3), dtype=np.uint8))
    seen = looked(tmp_path / "images")
    assert {finding.code: finding.subject for finding in seen.findings} == {"brought-to-8-bits": "dog/deep.png"}
    assert (len(seen.dataset), seen.within) == (4, None)
    deep = next(sample for sample in seen.dataset.samples if sample.label == "dog")
    made = decoded_original(deep, Originals(tmp_path / "images", Form(size=80, resize="pad"), most_pixels=10_000))
    assert (made[5:75] == bytes_).all()
    assert seen.found.pictures["dog/deep.png"].colour == pytest.approx(bytes_.mean(axis=(0, 1)), abs=0.01)


@pytest.mark.parametrize("none", [-9999.0, 1e20, -3.4e38])
def test_a_value_that_stands_for_none_does_not_make_the_range_in_silence(tmp_path: Path, none: float):
    for number in range(4):
        pixels = (RANDOM.random((70, 80)) * 300).astype(np.float32)
        pixels[: 20 * (number % 2), :10] = none
        pixels[:] = none if number == 3 else pixels
        write(tmp_path / "images", f"cat/{number}.tif", pixels)
    (error,) = looked(tmp_path / "images").errors
    assert (error.code, error.subject) == ("no-value", "cat/1.tif")
    assert "data.range [0." in error.text
    low, high = 0.0, 300.0
    assert looked(tmp_path / "images", range=(low, high)).errors == ()
    kept = looked(tmp_path / "images", range=(min(none, low), max(none, high)))
    assert "no-value" not in {finding.code for finding in kept.findings}


def test_a_single_pixel_that_would_make_all_others_one_shade_is_asked_about(tmp_path: Path):
    for number in range(3):
        pixels = RANDOM.random((70, 80)).astype(np.float32)
        pixels[3, 4] = 1e6 if number == 2 else pixels[3, 4]
        write(tmp_path / "images", f"cat/{number}.tif", pixels)
    (error,) = looked(tmp_path / "images").errors
    assert (error.code, error.subject) == ("no-value", "cat/2.tif")


def test_black_around_what_is_seen_stands_for_nothing_else(tmp_path: Path):
    for number in range(3):
        pixels = RANDOM.integers(30_000, 40_000, (70, 80)).astype(np.uint16)
        pixels[:20] = 0
        write(tmp_path / "images", f"cat/{number}.tif", pixels)
    assert looked(tmp_path / "images").errors == ()


def test_a_few_hot_pixels_that_make_the_range_are_told_with_their_image(folder: Path):
    pixels = of_12_bits()
    pixels[5, 5] = 65_535
    write(folder, "dog/hot.tif", pixels)
    assert findings(folder) == {"hot-pixels": "dog/hot.tif"}
    assert findings(folder, range=(100.0, 3000.0)) == {}


def test_a_few_dead_pixels_too(folder: Path):
    for path in folder.rglob("*.tif"):
        write(folder, path.relative_to(folder).as_posix(), of_12_bits().astype(np.int16))
    pixels = of_12_bits().astype(np.int16)
    pixels[5, 5] = -32_000
    write(folder, "cat/dead.tif", pixels)
    assert findings(folder) == {"hot-pixels": "cat/dead.tif"}


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e20])
def test_floating_point_images_have_a_range_of_their_own_units(tmp_path: Path, scale: float):
    for number in range(3):
        write(tmp_path / "images", f"cat/{number}.tif", ((of_12_bits() - 1500.0) * scale).astype(np.float32))
    seen = looked(tmp_path / "images")
    assert (seen.within.low, seen.within.high) == pytest.approx((-1400 * scale, 1500 * scale), rel=0.02)
    assert not seen.errors
    assert all(100 < picture.colour[0] < 160 for picture in seen.found.pictures.values())


def test_a_deep_picture_looks_like_its_8_bit_copy_and_is_neither_white_nor_black():
    ramp = np.linspace(0, 4095, 96 * 96).reshape(96, 96)
    ramp[20:40, 30:60] = 3000
    deep = look(Decoded(ramp.astype(np.uint16)[..., np.newaxis]), file_bytes=1)
    eight = look(Decoded(np.repeat(np.rint(ramp / 4095 * 255).astype(np.uint8)[..., np.newaxis], 3, 2)), file_bytes=1)
    assert (deep.likeness.phash ^ eight.likeness.phash).bit_count() <= 2
    small = [np.frombuffer(one.likeness.thumbnail, np.uint8).astype(int) for one in (deep, eight)]
    assert np.abs(small[0] - small[1]).max() <= 1
    within = deep.within(ValueRange(0.0, 4095.0, 16))
    assert within.colour == pytest.approx(eight.colour, abs=0.6)
    assert within.spread == pytest.approx(eight.spread, abs=0.6)


def test_near_copies_are_found_among_deep_images_and_unlike_ones_are_not(folder: Path):
    shape = np.kron(RANDOM.integers(200, 2800, (7, 8)), np.ones((10, 10)))
    noisy = RANDOM.normal(0, 20, (2, 70, 80))
    for number in range(2):
        write(folder, f"cat/like{number}.tif", (shape + noisy[number]).clip(0).astype(np.uint16))
    applied = [cluster.members for cluster in looked(folder).duplicates.clusters if cluster.applied]
    samples = looked(folder).dataset.samples
    assert [{samples[position].path for position in members} for members in applied] == [
        {"cat/like0.tif", "cat/like1.tif"}
    ]


def test_the_same_pixels_under_two_labels_are_found(folder: Path):
    content = tifffile.imread(folder / "cat" / "0.tif")
    write(folder, "dog/same.tif", content)
    conflicts = {finding.subject for finding in looked(folder).errors}
    assert conflicts == {"cat/0.tif", "dog/same.tif"}


def test_an_image_of_one_value_is_nearly_constant_whatever_the_value(folder: Path):
    write(folder, "cat/flat.tif", np.full((70, 80), 1000, dtype=np.uint16))
    assert findings(folder) == {"near-constant": "cat/flat.tif"}


def test_what_is_remembered_of_deep_images_is_what_reading_finds(folder: Path, tmp_path: Path):
    write(folder, "cat/eight.png", RANDOM.integers(0, 256, (70, 80), dtype=np.uint8))
    for _ in range(2):
        with FileIndex(tmp_path / "index.sqlite") as index:
            assert scan(folder, how=Survey(index=index)) == scan(folder)
    with FileIndex(tmp_path / "index.sqlite") as index:
        assert {picture.values is None for picture in index.pictures().values()} == {True, False}


def test_the_data_card_says_which_values_are_black_and_white(folder: Path):
    card = looked(folder, range=(50.0, 4000.0)).card()
    assert card["values"]["kind"] == "whole numbers"
    assert (card["values"]["range"], card["values"]["bits"]) == ([50.0, 4000.0], 16)
    assert "50 is black and 4,000 white" in render_markdown(card)


def test_the_range_in_use_stands_in_run_json_and_nothing_else_passes_for_one(tmp_path: Path):
    file = JournaledRun.make(tmp_path, "20260102-030405-abcdef").folder / "run.json"
    facts = json.loads(file.read_text())
    assert range_in_use(read_facts(file.parent)) is None
    right = {"low": -0.5, "high": 4095, "bits": 16}
    file.write_text(json.dumps({**facts, "range": right}))
    assert range_in_use(read_facts(file.parent)) == ValueRange(-0.5, 4095.0, 16)
    wrong = ({"low": 5000}, {"high": "x"}, {"high": float("inf")}, {"bits": 12}, {"bits": True}, {"more": 1})
    for changed in wrong:
        file.write_text(json.dumps({**facts, "range": {**right, **changed}}))
        with pytest.raises(DamagedFile):
            read_facts(file.parent)


def test_the_one_of_another_depth_is_left_out_by_the_line_that_is_advised(tmp_path: Path, monkeypatch):
    for number in range(4):
        for label in ("cat", "dog"):
            write(tmp_path / "images", f"{label}/{number}.png", RANDOM.integers(0, 256, (70, 80), dtype=np.uint8))
    write(tmp_path / "images", "dog/deep.tif", of_12_bits())
    (tmp_path / "params.yaml").write_text("version: 1\ndata: {path: images}\nfolds: {k: 2}\nexperiments: {a: {}}\n")
    monkeypatch.chdir(tmp_path)
    assert run_command(["data", "check"]) == 1
    assert run_command(["data", "check", "--exclude"]) == 0
    assert (tmp_path / "excluded.csv").read_text().splitlines()[1].startswith("1,dog/deep.tif,dog,")
