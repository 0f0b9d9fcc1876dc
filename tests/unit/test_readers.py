"""Reading one picture."""

import os
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps

from foldproof.data.readers import decode, read, suffix_of, suffixes
from foldproof.data.unread import why_unread
from foldproof.errors import BadImage, DataError

RANDOM = np.random.default_rng(0)
PHOTO = Image.fromarray(RANDOM.integers(0, 256, (6, 9, 3), dtype=np.uint8))


def as_pillow_reads(path):
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def exif(orientation):
    made = Image.Exif()
    made[0x0112] = orientation
    return made


def assert_refused(path, *words):
    with pytest.raises(DataError) as raised:
        read(path)
    said = str(raised.value)
    assert all(word in said for word in (path.name, *words)), said
    assert raised.value.next_step
    assert len(said.splitlines()) <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_picture_stands_upright_as_its_exif_says(tmp_path, suffix, orientation):
    path = tmp_path / f"photo{suffix}"
    PHOTO.save(path, exif=exif(orientation))
    pixels = read(path).pixels
    assert pixels.shape == ((6, 9, 3) if orientation < 5 else (9, 6, 3))
    assert np.array_equal(pixels, as_pillow_reads(path))


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("1", ".png"),
        ("L", ".png"),
        ("L", ".bmp"),
        ("L", ".tiff"),
        ("LA", ".png"),
        ("P", ".png"),
        ("RGB", ".bmp"),
        ("RGBA", ".png"),
        ("RGBA", ".webp"),
        ("CMYK", ".jpeg"),
        ("CMYK", ".tif"),
    ],
)
def test_every_8_bit_picture_becomes_rgb_as_pillow_converts_it(tmp_path, mode, suffix):
    path = tmp_path / f"photo{suffix}"
    PHOTO.convert(mode).save(path)
    image = read(path)
    assert image.pixels.dtype == np.uint8
    assert np.array_equal(image.pixels, as_pillow_reads(path))


def test_the_pages_of_a_tiff_are_refused(tmp_path):
    PHOTO.save(tmp_path / "many.tif", save_all=True, append_images=[Image.new("RGB", PHOTO.size, "red")])
    assert_refused(tmp_path / "many.tif", "2 pictures in one file")


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif"])
def test_an_animation_is_its_first_frame_and_says_so(tmp_path, suffix):
    other = Image.new("RGB", PHOTO.size, "red")
    PHOTO.save(tmp_path / f"moving{suffix}", save_all=True, append_images=[other], lossless=True)
    image = read(tmp_path / f"moving{suffix}")
    assert "animated" in image.traits
    assert np.array_equal(image.pixels, as_pillow_reads(tmp_path / f"moving{suffix}"))
    assert not np.array_equal(image.pixels, np.asarray(other))


@pytest.mark.parametrize(
    ("mode", "suffix", "traits"),
    [
        ("RGB", ".jpg", ()),
        ("L", ".png", ()),
        ("P", ".png", ("palette",)),
        ("CMYK", ".jpg", ("cmyk",)),
        ("RGBA", ".png", ()),
        ("LA", ".png", ()),
    ],
)
def test_what_was_done_to_get_the_pixels_is_said(tmp_path, mode, suffix, traits):
    PHOTO.convert(mode).save(tmp_path / f"photo{suffix}")
    assert read(tmp_path / f"photo{suffix}").traits == traits


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_turned_picture_says_so_and_names_its_camera(tmp_path, suffix):
    made = exif(6)
    made[0x010F], made[0x0110] = "Acme", "Phone 1"
    PHOTO.save(tmp_path / f"photo{suffix}", exif=made)
    image = read(tmp_path / f"photo{suffix}")
    assert image.traits == ("rotated",)
    assert image.camera == "Acme Phone 1"


def test_only_what_is_transparent_somewhere_has_alpha(tmp_path):
    clear = PHOTO.convert("RGBA")
    clear.putpixel((0, 0), (1, 2, 3, 254))
    clear.save(tmp_path / "clear.png")
    assert read(tmp_path / "clear.png").traits == ("alpha",)


def test_a_camera_jpeg_and_a_jfif_are_jpegs(tmp_path):
    PHOTO.save(tmp_path / "a.jfif", format="JPEG")
    PHOTO.save(tmp_path / "b.jpg", format="MPO", save_all=True, append_images=[PHOTO.resize((3, 2))])
    assert {read(tmp_path / name).format for name in ("a.jfif", "b.jpg")} == {"JPEG"}
    assert read(tmp_path / "b.jpg").traits == ()


def test_the_preview_in_a_phones_jpeg_does_not_count_as_a_second_picture(tmp_path):
    PHOTO.save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[PHOTO.resize((3, 2))])
    assert read(tmp_path / "phone.jpg").pixels.shape == (6, 9, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".avif", ".jp2", ".ppm", ".qoi", ".tga"])
def test_a_truncated_picture_is_refused_by_name(tmp_path, suffix):
    whole = tmp_path / f"whole{suffix}"
    PHOTO.resize((90, 60)).save(whole)
    for part in (0.2, 0.7):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * part)])
        assert_refused(cut)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".avif", ".jp2", ".ppm", ".qoi", ".tga"])
def test_nothing_but_a_data_error_comes_out_of_damaged_files(tmp_path, suffix):
    PHOTO.save(tmp_path / f"whole{suffix}", exif=exif(6))
    content = (tmp_path / f"whole{suffix}").read_bytes()
    damaged = tmp_path / f"damaged{suffix}"
    refused = 0
    for _ in range(150):
        broken = bytearray(content)
        for place in RANDOM.integers(0, len(content), RANDOM.integers(1, 12)):
            broken[place] = RANDOM.integers(0, 256)
        damaged.write_bytes(broken[: RANDOM.integers(1, len(content) + 1)])
        try:
            read(damaged)
        except DataError as error:
            refused += damaged.name in str(error)
    assert refused > 50


def test_files_that_hold_no_picture_are_refused_by_name(tmp_path):
    (tmp_path / "empty.png").touch()
    assert_refused(tmp_path / "empty.png", "empty")
    (tmp_path / "text.jpg").write_text("no picture")
    assert_refused(tmp_path / "text.jpg", "not a BMP, GIF, JPEG, PNG, TIFF or WebP")
    PHOTO.save(tmp_path / "postscript.png", format="EPS")  # Pillow would start a program to draw it
    assert_refused(tmp_path / "postscript.png", "not a BMP")
    (tmp_path / "folder.png").mkdir()
    assert_refused(tmp_path / "folder.png", "not a file")
    assert_refused(tmp_path / "nowhere.png", "not a file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert_refused(tmp_path / "pipe.jpg", "not a file")


def test_a_decompression_bomb_is_refused_by_name(tmp_path):
    Image.new("1", (14_000, 14_000)).save(tmp_path / "bomb.png")
    assert_refused(tmp_path / "bomb.png", "million pixels")


def test_the_limit_on_pixels_is_the_one_that_was_set_and_pillows_own_stays(tmp_path, monkeypatch):
    before = Image.MAX_IMAGE_PIXELS
    PHOTO.save(tmp_path / "photo.png")
    content = (tmp_path / "photo.png").read_bytes()
    assert decode("photo.png", content, most_pixels=54).pixels.shape == (6, 9, 3)
    with pytest.raises(BadImage) as raised:
        decode("photo.png", content, most_pixels=53)
    assert raised.value.code == "too-large"
    assert before == Image.MAX_IMAGE_PIXELS


def test_an_error_says_which_finding_it_is_also_in_another_process(tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(BadImage) as raised:
        read(tmp_path / "text.jpg")
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.code, again.what, again.next_step) == ("not-an-image", raised.value.what, raised.value.next_step)


def test_the_reader_is_found_by_suffix_in_any_case(tmp_path):
    PHOTO.save(tmp_path / "PHOTO.JPG", format="JPEG")
    assert read(tmp_path / "PHOTO.JPG").pixels.shape == (6, 9, 3)
    assert ".jpg" in suffixes()


@pytest.mark.parametrize("name", ["photo", "photo.", "photo.dat", "Dr. Who", "photo.png"])
def test_without_a_suffix_that_is_known_the_content_says_which_format_it_is(tmp_path, name):
    PHOTO.save(tmp_path / name, format="JPEG", quality=95)
    assert (read(tmp_path / name).format, why_unread(tmp_path / name, suffixes())) == ("JPEG", None)


def test_reading_in_threads_is_quiet_and_leaves_the_warning_filters_alone(tmp_path):
    palette = PHOTO.convert("P")
    palette.save(tmp_path / "clear.png", transparency=bytes(range(256)))  # Pillow warns of converting this one to RGB
    with pytest.warns(UserWarning, match="Transparency"), Image.open(tmp_path / "clear.png") as image:
        image.convert("RGB")
    before, start = list(warnings.filters), threading.Barrier(8)

    def read_often(_):
        start.wait(timeout=10)
        return [read(tmp_path / "clear.png").pixels.sum() for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        sums = {total for found in pool.map(read_often, range(8)) for total in found}
    assert len(sums) == 1
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("a/b.JPG", ".jpg"), ("a.b/c", ""), ("a/.png", ""), (".png", ""), ("a/b.c.png", ".png"), ("", ""), ("a/b.", ".")],
)
def test_a_suffix_is_what_follows_the_last_dot_of_a_name(path, suffix):
    assert suffix_of(path) == suffix
