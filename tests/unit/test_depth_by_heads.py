"""The depth of images by the heads of their files: what does not go together is named before anything is decoded."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.config.schema import DataSettings
from foldproof.data.depths import BYTES, FRACTIONS, WHOLE, depth_of, odd_by_heads
from foldproof.data.examine import look
from foldproof.data.heads import boxed_bits
from foldproof.data.readers import read
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.training_data.inspection import inspect
from foldproof.training_data.load import load_training_data

RANDOM = np.random.default_rng(8)


def numbers(kind: str, *shape: int) -> np.ndarray:
    return (RANDOM.random(shape) * 200).astype(kind)


def tiff(path: Path, kind: str, *shape: int, **how: object) -> None:
    tifffile.imwrite(path, numbers(kind, *shape), **how)


FILES = {
    "a.png": (lambda path: Image.fromarray(numbers("uint8", 9, 8, 3)).save(path), BYTES),
    "b.png": (lambda path: path.write_bytes(imagecodecs.png_encode(numbers("uint16", 9, 8, 3))), WHOLE),
    "c.png": (lambda path: path.write_bytes(imagecodecs.png_encode(numbers("uint16", 9, 8))), WHOLE),
    "d.png": (lambda path: Image.fromarray(numbers("uint8", 9, 8)).convert("1").save(path), BYTES),
    "e.tif": (lambda path: tiff(path, "uint8", 9, 8), BYTES),
    "f.tif": (lambda path: tiff(path, "uint16", 9, 8, 3, photometric="rgb"), WHOLE),
    "g.tif": (lambda path: tiff(path, "int8", 9, 8), WHOLE),
    "h.tif": (lambda path: tiff(path, "float32", 9, 8, byteorder=">"), FRACTIONS),
    "i.tif": (lambda path: tiff(path, "uint32", 9, 8, bigtiff=True), WHOLE),
    "j.tif": (lambda path: tiff(path, "uint16", 9, 8, 3, photometric="rgb", bigtiff=True, byteorder=">"), WHOLE),
    "k.jpg": (lambda path: Image.fromarray(numbers("uint8", 9, 8, 3)).save(path), BYTES),
    "l.ppm": (lambda path: path.write_bytes(b"P6 2 1 4095\n" + bytes(12)), WHOLE),
    "m.pgm": (lambda path: path.write_bytes(b"P5 2 1 255\n" + bytes(2)), BYTES),
    "n.jp2": (
        lambda path: path.write_bytes(imagecodecs.jpeg2k_encode(numbers("uint16", 9, 8), bitspersample=12)),
        WHOLE,
    ),
    "o.webp": (lambda path: Image.fromarray(numbers("uint8", 9, 8, 3)).save(path), BYTES),
    "p.tif": (lambda path: Image.fromarray(numbers("uint8", 9, 8)).convert("1").save(path), BYTES),
}


@pytest.mark.parametrize("name", FILES)
def test_a_head_says_what_decoding_finds(tmp_path, name):
    make, kind = FILES[name]
    make(tmp_path / name)
    found = depth_of(tmp_path / name)
    values = look(read(tmp_path / name), file_bytes=1).values
    decoded = BYTES if values is None else WHOLE if values.whole else FRACTIONS
    assert (found.kind, decoded) == (kind, kind)
    assert found.says_white == (kind == WHOLE and name[2:] in ("png", "ppm"))


@pytest.mark.parametrize("name", FILES)
def test_a_cut_off_head_says_nothing_and_raises_nothing(tmp_path, name):
    FILES[name][0](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    for length in range(0, min(len(content), 400), 3):
        (tmp_path / name).write_bytes(content[:length])
        depth_of(tmp_path / name)


def test_the_fewer_are_odd_whichever_they_are_unless_their_format_says_white(tmp_path):
    for number in range(4):
        FILES["e.tif"][0](tmp_path / f"{number}.tif")
        FILES["b.png"][0](tmp_path / f"{number}.png")
    FILES["f.tif"][0](tmp_path / "f.tif")
    low, high = [f"{number}.tif" for number in range(4)], [f"{number}.png" for number in range(4)]
    assert list(odd_by_heads(tmp_path, [*low, "f.tif"])) == ["f.tif"]
    assert list(odd_by_heads(tmp_path, [*low, high[0]])) == []
    assert list(odd_by_heads(tmp_path, [*high, low[0]])) == [low[0]]
    assert list(odd_by_heads(tmp_path, [*high, "f.tif"])) == []


@pytest.fixture
def project(tiny_project):
    tiff(tiny_project / "images" / "cat" / "odd.tif", "uint16", 9, 8, 3, photometric="rgb")
    return Project.find(tiny_project)


def gathered(project, heard):
    settings = load_settings(project.settings_file).settings
    return load_training_data(project, settings, allow_dirty=True, progress=lambda *told: heard.append(told))


def test_the_one_image_of_another_depth_is_refused_before_any_is_decoded(project):
    heard = []
    with pytest.raises(DataError, match=r"1 error in the images: cat/odd\.tif \(whole numbers") as raised:
        gathered(project, heard)
    assert heard == []
    assert "data check --exclude" in raised.value.next_step


def test_an_image_of_another_depth_that_is_left_out_hinders_nothing(project, monkeypatch):
    monkeypatch.chdir(project.root)
    assert run_command(["data", "check", "--exclude"]) == 0
    heard = []
    assert len(gathered(project, heard).dataset) == 18


def test_a_16_bit_png_among_many_is_brought_to_8_bits_as_its_format_says(tiny_project):
    FILES["b.png"][0](tiny_project / "images" / "cat" / "deep.png")
    found = gathered(Project.find(tiny_project), [])
    assert (len(found.dataset), found.within) == (19, None)
    assert any("brought-to-8-bits (1)" in notice.text for notice in found.notices)


def avif(bits: int) -> bytes:
    kind = "uint8" if bits == 8 else "uint16"
    return imagecodecs.avif_encode((RANDOM.random((24, 32, 3)) * (2**bits - 1)).astype(kind), bitspersample=bits)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_an_avif_says_its_bits_in_its_head_and_more_than_8_are_not_lost_in_silence(tmp_path, bits):
    assert boxed_bits(avif(bits)) == bits
    draw_classes(tmp_path / "images", classes=("cat", "dog"), each=2, size=24)
    for number in range(2):
        (tmp_path / "images" / "dog" / f"{number}.avif").write_bytes(avif(bits))
    found = [one for one in inspect(tmp_path / "images", DataSettings()).findings if one.code == "read-as-8-bits"]
    assert sorted(one.subject for one in found) == (["dog/0.avif", "dog/1.avif"] if bits > 8 else [])
    assert not any(one.is_error for one in found)


def test_a_heic_says_its_bits_by_its_decoder_where_nothing_else_does():
    assert boxed_bits(b"\0\0\0\x18ftypheic" + bytes(20) + b"hvcC" + bytes(17) + b"\xfa" + bytes(9)) == 10
    assert boxed_bits(b"\0\0\0\x18ftypheic" + bytes(20) + b"pixi" + bytes(4) + b"\x01\x08") == 8
    assert boxed_bits(b"\0\0\0\x18ftypheic" + b"pixi") == 0
    assert boxed_bits(b"pixi" + bytes(4) + b"\x01\x0a") == 0
