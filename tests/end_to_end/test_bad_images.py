"""Real bad files: each is found before the first epoch, with its name. Most tools train on them in silence."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from conftest import draw
from foldproof.cli.main import run_command
from foldproof.data.checks.findings import CODES, Severity

RANDOM = np.random.default_rng(3)
PHOTO = Image.fromarray(RANDOM.integers(0, 256, (40, 60, 3), dtype=np.uint8))


def truncated(folder):
    PHOTO.save(folder / "bad.jpg")
    (folder / "bad.jpg").write_bytes((folder / "bad.jpg").read_bytes()[:-900])


def of_16_bits(folder):
    Image.fromarray(np.full((20, 20), 4000, dtype=np.uint16)).save(folder / "bad.png")


def of_floats(folder):
    Image.fromarray(RANDOM.random((20, 20), dtype=np.float32)).save(folder / "bad.tif")


def of_no_numbers(folder):
    pixels = RANDOM.random((20, 20), dtype=np.float32)
    pixels[3, 4] = np.nan
    Image.fromarray(pixels).save(folder / "bad.tif")


def microscope_grey(folder):
    tiff(folder / "bad.tif", np.full((20, 20, 1), 4095, dtype=np.uint16))


def microscope_colour(folder):
    tiff(folder / "bad.tif", np.full((20, 20, 3), 4095, dtype=np.uint16))


def microscope_four_channels(folder):
    tiff(folder / "bad.tif", np.full((20, 20, 4), 4095, dtype=np.uint16))


def a_stack(folder):
    PHOTO.save(folder / "bad.tif", save_all=True, append_images=[PHOTO])


def zero_bytes(folder):
    (folder / "bad.png").touch()


def a_text(folder):
    (folder / "bad.jpg").write_text("no picture")


def a_bomb(folder):
    """A PNG of 400 million pixels in some kilobytes."""
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(20_000 * 2501), 9)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def under_two_labels(folder):
    """The same pixels in another file of another class."""
    with Image.open(folder.parent / "dog" / "000.png") as picture:
        picture.save(folder / "bad.bmp")


def a_pipe(folder):
    os.mkfifo(folder / "bad.jpg")


def a_broken_link(folder):
    (folder / "bad.jpg").symlink_to("nowhere.jpg")


def turned(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    PHOTO.save(folder / "bad.jpg", exif=exif)


def palette(folder):
    PHOTO.quantize(16).save(folder / "bad.png")


def for_print(folder):
    PHOTO.convert("CMYK").save(folder / "bad.jpg")


def transparent(folder):
    clear = PHOTO.convert("RGBA")
    clear.putalpha(Image.fromarray(np.full((40, 60), 99, dtype=np.uint8)))
    clear.save(folder / "bad.png")


def animated(folder):
    PHOTO.convert("P").save(folder / "bad.gif", save_all=True, append_images=[PHOTO.convert("P").rotate(180)])


def one_colour(folder):
    Image.new("RGB", (40, 40), (250, 250, 250)).save(folder / "bad.png")


def of_an_unknown_kind(folder):
    (folder / "bad.jxl").write_bytes(b"\xff\x0a")


def a_copy_of_an_editor(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    PHOTO.save(folder / ".ipynb_checkpoints" / "bad.png")


def a_link_to_the_parent(folder):
    (folder / "bad").symlink_to("..")


def a_link_elsewhere(folder):
    PHOTO.save(folder.parents[1] / "elsewhere.png")
    (folder / "bad.png").symlink_to(folder.parents[1] / "elsewhere.png")


def a_class_without_images(folder):
    (folder.parent / "bad").mkdir()


def tiff(path, pixels):
    """An uncompressed TIFF of 16 bits a channel; Pillow writes none with several channels."""
    height, width, channels = pixels.shape
    data = pixels.astype("<u2").tobytes()
    bits = struct.pack(f"<{channels}H", *[16] * channels)
    count = 9
    after = 8 + 2 + 12 * count + 4
    spilled = bits if channels > 2 else b""
    values = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, after if channels > 2 else 16),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if channels == 3 else 1),
        (273, 4, 1, after + len(spilled)),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(data)),
    ]
    entries = b"".join(struct.pack("<HHII", *value) for value in values)
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4) + spilled + data)


ERRORS = {
    truncated: "damaged",
    of_floats: "mixed-depth",
    of_no_numbers: "not-finite",
    microscope_grey: "mixed-depth",
    microscope_colour: "mixed-depth",
    microscope_four_channels: "unsupported",
    a_stack: "unsupported",
    zero_bytes: "empty",
    a_text: "not-an-image",
    a_bomb: "too-large",
    under_two_labels: "label-conflict",
    a_pipe: "not-a-file",
    a_broken_link: "not-a-file",
}
WARNINGS = {
    turned: "exif-rotated",
    palette: "palette",
    for_print: "cmyk",
    transparent: "alpha",
    animated: "animated",
    one_colour: "near-constant",
    of_an_unknown_kind: "not-read",
    of_16_bits: "brought-to-8-bits",
    a_copy_of_an_editor: "editor-checkpoint",
    a_link_to_the_parent: "link",
    a_link_elsewhere: "link",
    a_class_without_images: "ignored",
}


@pytest.fixture
def images(tiny_project, monkeypatch):
    monkeypatch.chdir(tiny_project)
    return tiny_project / "images"


def checked(capsys, *arguments):
    """Exit code and content of `data check --json`."""
    capsys.readouterr()
    code = run_command(["data", "check", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def subjects(content, code):
    return [item["subject"] for item in content["findings"] if item["code"] == code]


def name(function):
    return function.__name__


@pytest.mark.slow
@pytest.mark.parametrize("make", ERRORS, ids=name)
def test_an_image_that_cannot_be_trained_on_stops_a_run_by_name_before_the_first_epoch(make, images, capsys):
    make(images / "cat")
    code, content = checked(capsys)
    assert code == 1
    found = subjects(content, ERRORS[make])
    assert any("bad" in subject for subject in found), content["findings"]
    assert run_command(["run"]) == 2
    said = capsys.readouterr().err
    assert "cat/bad" in said
    assert len(said.strip().splitlines()) <= 3
    assert "foldproof data check" in said
    assert not (images.parent / "runs").exists()


@pytest.mark.parametrize("make", WARNINGS, ids=name)
def test_what_only_weakens_a_result_is_a_warning_with_the_name(make, images, capsys):
    make(images / "cat")
    code, content = checked(capsys)
    assert code == 0
    named = subjects(content, WARNINGS[make])
    assert any(subject.startswith(("cat/bad", "bad", "cat/.ipynb_checkpoints")) for subject in named), content[
        "findings"
    ]


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode here")
def test_a_name_that_is_not_utf8_is_found_and_spelled_out(images, capsys):
    PHOTO.save(images / "cat" / os.fsdecode(b"caf\xe9.png"))
    code, content = checked(capsys)
    assert code == 1
    assert subjects(content, "name-not-utf8") == ["cat/caf\\xe9.png"]
    assert run_command(["run"]) == 2
    assert "caf\\xe9.png" in capsys.readouterr().err


def test_a_class_too_small_for_the_folds_is_found_by_name(images, capsys):
    draw(images / "fox" / "000.png", label=3, number=0)
    code, content = checked(capsys)
    assert code == 1
    (finding,) = [item for item in content["findings"] if item["code"] == "class-too-small"]
    assert "'fox'" in finding["text"]


def test_the_parts_of_a_data_set_are_no_classes(images, capsys):
    for part in ("train", "val"):
        (images / part).mkdir()
    for path in list(images.glob("*/*.png")):
        (images / "train" / path.parent.name).mkdir(exist_ok=True)
        path.rename(images / "train" / path.parent.name / path.name)
    draw(images / "val" / "cat" / "a.png", label=0, number=50)
    for path in ("cat", "dog", "eel"):
        (images / path).rmdir()
    assert run_command(["data", "check"]) == 2
    assert "parts of a data set, not classes" in capsys.readouterr().err


def test_classes_that_differ_only_in_case_are_told(images, capsys):
    for number in range(6):
        draw(images / "Cat" / f"{number}.png", label=0, number=30 + number)
    _, content = checked(capsys)
    assert subjects(content, "case-colliding-classes") == ["Cat"]


def test_a_set_out_of_balance_and_classes_of_another_size_or_format_are_told(images, capsys):
    for number in range(70):
        draw(images / "cat" / f"more{number}.bmp", label=0, number=100 + number, size=24)
    _, content = checked(capsys)
    for code in ("imbalance", "sizes-differ-by-class", "formats-differ-by-class", "shortcut"):
        assert subjects(content, code), code


@pytest.mark.slow
def test_the_same_image_twice_in_one_class_never_straddles_folds_and_is_told(images, capsys):
    with Image.open(images / "cat" / "000.png") as picture:
        picture.save(images / "cat" / "again.bmp")
    code, content = checked(capsys)
    assert code == 0
    assert content["pairs"][0]["exact"]
    assert {content["pairs"][0]["first"], content["pairs"][0]["second"]} == {"cat/000.png", "cat/again.bmp"}
    assert run_command(["run", "--set", "train.epochs=1", "--set", "tracking.enabled=false"]) == 0
    rows = [line.split(",") for line in (images.parent / "folds.csv").read_text().splitlines()]
    fold = {row[-1]: row[4] for row in rows}
    assert fold["cat/000.png"] == fold["cat/again.bmp"]


@pytest.mark.slow
def test_exclude_lists_the_bad_files_both_copies_of_a_conflict_and_moves_nothing(images, capsys):
    truncated(images / "cat")
    under_two_labels(images / "eel")
    before = {path: path.read_bytes() for path in images.rglob("*.*")}
    assert run_command(["data", "check", "--exclude"]) == 0
    assert "lists 3 images more" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in images.rglob("*.*")} == before
    listed = (images.parent / "excluded.csv").read_text()
    assert [line.split(",")[1] for line in listed.splitlines()[1:]] == ["cat/bad.jpg", "dog/000.png", "eel/bad.bmp"]
    code, content = checked(capsys)
    assert (code, content["card"]["images"]) == (0, 17)
    assert content["card"]["excluded"] == {"damaged": 1, "label-conflict": 2}
    assert run_command(["run", "--set", "train.epochs=1", "--set", "tracking.enabled=false"]) == 0
    assert run_command(["data", "check", "--exclude"]) == 0
    assert (images.parent / "excluded.csv").read_text() == listed


def test_one_copy_of_a_conflict_can_be_kept_by_removing_its_row(images, capsys):
    under_two_labels(images / "eel")
    run_command(["data", "check", "--exclude"])
    file = images.parent / "excluded.csv"
    file.write_text(
        "".join(line for line in file.read_text().splitlines(keepends=True) if not line.startswith("1,dog"))
    )
    code, content = checked(capsys)
    assert (code, content["card"]["images"]) == (0, 18)


def test_an_excluded_image_that_is_gone_is_told(images, capsys):
    zero_bytes(images / "cat")
    run_command(["data", "check", "--exclude"])
    (images / "cat" / "bad.png").unlink()
    _, content = checked(capsys)
    assert subjects(content, "stale-exclusion") == ["cat/bad.png"]


def test_a_list_of_exclusions_that_is_broken_is_said_with_its_line(images, capsys):
    (images.parent / "excluded.csv").write_text("v,path,label,sha256,code,reason\n1,cat/a.png,cat,xyz,damaged,\n")
    assert run_command(["run"]) == 2
    assert "excluded.csv, line 2" in capsys.readouterr().err


def test_a_folder_outside_any_project_can_be_checked(tmp_path, images, monkeypatch, capsys):
    truncated(images / "cat")
    monkeypatch.chdir(tmp_path)
    code, content = checked(capsys, str(images))
    assert (code, subjects(content, "damaged")) == (1, ["cat/bad.jpg"])
    assert run_command(["data", "check", str(images), "--exclude"]) == 2
    assert "foldproof init" in capsys.readouterr().err


def test_the_limit_on_pixels_can_be_set(images, capsys):
    Image.new("1", (1001, 1000)).save(images / "cat" / "wide.png")
    settings = images.parent / "params.yaml"
    settings.write_text(settings.read_text().replace("path: images", "path: images, max_megapixels: 1"))
    code, content = checked(capsys)
    assert (code, subjects(content, "too-large")) == (1, ["cat/wide.png"])


def test_every_finding_says_what_it_means_and_what_to_do():
    for code, about in CODES.items():
        assert about.means, code
        assert about.next_step, code
        assert not (about.excludable and about.severity is Severity.WARNING), code


def test_what_a_person_reads_fits_and_names_the_next_step(images, capsys):
    truncated(images / "cat")
    turned(images / "dog")
    assert run_command(["data", "check"]) == 1
    said = capsys.readouterr().out
    for words in ("19 images in 3 classes", "error damaged  1", "cat/bad.jpg", "--exclude", "warning exif-rotated"):
        assert words in said, said
    assert "`foldproof run` will not start" in said
