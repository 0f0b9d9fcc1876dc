"""What pictures of many formats become, and what is said of those that are not read."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from conftest import draw, draw_classes
from foldproof.config.schema import DataSettings
from foldproof.data.heads import HEAD_BYTES, format_of, size_of
from foldproof.data.readers import BY_CONTENT, decode, read
from foldproof.data.scan import scan
from foldproof.errors import BadImage, DataError
from foldproof.scaffold.make import scaffold
from foldproof.training_data.inspection import inspect

RANDOM = np.random.default_rng(3)
PHOTO = Image.fromarray(RANDOM.integers(0, 256, (17, 23, 3), dtype=np.uint8))
PLAIN = {
    ".avif": "AVIF", ".bmp": "BMP", ".dib": "DIB", ".gif": "GIF", ".jp2": "JPEG2000", ".j2k": "JPEG2000",
    ".jpg": "JPEG", ".pgm": "PPM", ".pnm": "PPM", ".png": "PNG", ".ppm": "PPM", ".qoi": "QOI", ".tga": "TGA",
    ".tif": "TIFF", ".webp": "WEBP",
}  # fmt: skip


@pytest.mark.parametrize("suffix", PLAIN)
def test_what_pillow_reads_comes_out_as_pillow_reads_it(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    (PHOTO.convert("L") if suffix == ".pgm" else PHOTO).save(path)
    image = read(path)
    with Image.open(path) as picture:
        assert np.array_equal(image.pixels, np.asarray(picture.convert("RGB")))
    assert image.format == PLAIN[suffix]


@pytest.mark.parametrize("suffix", PLAIN)
def test_a_format_is_known_by_its_first_bytes_and_its_size_before_it_is_decoded(tmp_path, suffix):
    PHOTO.convert("L" if suffix == ".pgm" else "RGB").save(tmp_path / f"photo{suffix}")
    content = (tmp_path / f"photo{suffix}").read_bytes()
    known = PLAIN[suffix] if PLAIN[suffix] in BY_CONTENT else ""
    assert format_of(content[:HEAD_BYTES]) == known
    assert size_of(content) in ((23, 17), None)
    with pytest.raises(BadImage, match="million pixels"):
        decode(f"photo{suffix}", content, most_pixels=23 * 17 - 1)


@pytest.mark.parametrize("content", [b"", b"BMW is a car", b"P1ain text", b"%PDF-1.7", b"GIF7", bytes(160), b"PK\3\4"])
def test_what_is_no_picture_has_no_format(content):
    assert format_of(content) == ""


@pytest.mark.parametrize("suffix", PLAIN)
def test_a_cut_off_file_is_refused_and_nothing_else_is_raised(tmp_path, suffix):
    PHOTO.convert("L" if suffix == ".pgm" else "RGB").save(tmp_path / f"photo{suffix}")
    content = (tmp_path / f"photo{suffix}").read_bytes()
    for kept in (12, 40, len(content) // 2):
        with pytest.raises(DataError) if suffix not in (".gif", ".jpg") or kept < 100 else pytest.raises(BadImage):
            decode(f"photo{suffix}", content[:kept])


def pnm(kind: bytes, pixels: np.ndarray, white: int, comment: bytes = b"") -> bytes:
    height, width = pixels.shape[:2]
    return kind + b"\n" + comment + b"%d %d\n%d\n" % (width, height, white) + pixels.astype(">u2").tobytes()


@pytest.mark.parametrize("white", [65_535, 4095, 256])
@pytest.mark.parametrize(("kind", "channels"), [(b"P5", 1), (b"P6", 3)])
def test_a_deep_pgm_or_ppm_is_brought_to_16_bits_by_its_own_white(kind, channels, white):
    pixels = RANDOM.integers(0, white + 1, (5, 4, channels))
    pixels[0, 0] = white
    image = decode("photo.ppm", pnm(kind, pixels, white, b"# made by a scanner\n") + b"\n")
    assert image.pixels.dtype == np.uint16
    assert np.array_equal(image.pixels, np.rint(pixels * (65_535 / white)))


def test_a_deep_ppm_that_is_cut_off_or_written_as_text_is_refused():
    with pytest.raises(BadImage, match="not in the file"):
        decode("a.pgm", pnm(b"P5", np.ones((4, 4), dtype=int), 4095)[:-2])
    with pytest.raises(BadImage, match="written as text"):
        decode("a.pgm", b"P2\n2 1\n4095\n7 4095\n")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_deep_jpeg_2000_keeps_its_values(channels):
    pixels = RANDOM.integers(0, 4096, (64, 64, channels)).astype(np.uint16)
    content = imagecodecs.jpeg2k_encode(pixels.squeeze(), level=0, bitspersample=12, reversible=True)
    assert np.array_equal(decode("a.jp2", content).pixels, pixels)


def test_a_suffix_that_lies_does_not_matter(tmp_path):
    for name, format_ in (("a.jpg", "PNG"), ("b.png", "JPEG"), ("c.tif", "WEBP"), ("d.gif", "BMP")):
        PHOTO.save(tmp_path / name, format=format_)
        assert read(tmp_path / name).format == format_


def test_pictures_without_a_suffix_are_trained_on_and_said_once(tmp_path):
    draw_classes(tmp_path / "photos", each=3)
    for path in [*(tmp_path / "photos").rglob("*.png")]:
        path.rename(path.with_suffix(""))
    (tmp_path / "photos" / "README").write_text("my photos")
    seen = inspect(tmp_path / "photos", DataSettings())
    assert len(seen.dataset) == 9
    told = {one.code: (one.subject, one.text) for one in seen.findings if one.code != "very-small"}
    assert told == {"read-by-content": ("cat/000", "9 images without suffix"), "ignored": ("README", "no suffix")}


@pytest.mark.parametrize("name", ["1.png.bak", "1.png.old", "1.jpg.set_aside", "1.tmp", "1.part"])
def test_a_copy_that_somebody_set_aside_is_not_trained_on(tmp_path, name):
    draw_classes(tmp_path, each=2)
    draw(tmp_path / "cat" / "1.png", label=0, number=40)
    (tmp_path / "cat" / "1.png").rename(tmp_path / "cat" / name)
    assert len(scan(tmp_path).dataset) == 6


@pytest.mark.parametrize(
    ("name", "said"),
    [("1.npz", "arrays of NumPy"), ("1.nii", "volumes"), ("scan.svs", "whole slides"),
     ("1.CR2", "a camera's raw files"),
     ("1.mp4", "films"), ("1.svg", "drawings"), ("a.zip", "archives"),
     ("1.tfrecord", "tables"), ("1.jxl", "another format")],
)  # fmt: skip
def test_pictures_that_are_not_read_are_counted_by_suffix_with_what_to_do(tmp_path, name, said):
    draw_classes(tmp_path / "mixed", each=2)
    for folder in (tmp_path / "mixed" / "cat", tmp_path / "mixed" / "dog", tmp_path / "alone" / "cat"):
        folder.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / name, np.zeros((4, 4), dtype=np.uint8))  # its content does not matter
    (ignored,) = scan(tmp_path / "mixed").ignored
    suffix = Path(name).suffix.lower()
    assert ignored.code == "not-read"
    assert ignored.reason.startswith(f"2 {suffix}: ")
    assert said in ignored.reason
    with pytest.raises(DataError, match=rf"that can be read: 1 {suffix}") as raised:
        scan(tmp_path / "alone")
    assert raised.value.next_step
    assert len(str(raised.value).splitlines()) <= 3


def test_the_way_on_is_that_of_the_commonest_format(tmp_path):
    for number in range(3):
        (tmp_path / "cat").mkdir(exist_ok=True)
        (tmp_path / "cat" / f"{number}.mp4").write_bytes(b"x")
    (tmp_path / "cat" / "a.npz").write_bytes(b"x")
    with pytest.raises(DataError, match=r"3 \.mp4 \(films\), 1 \.npz \(several arrays") as raised:
        scan(tmp_path)
    assert "ffmpeg" in raised.value.next_step


def broken(tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """Files with a hole, of which the decoding libraries have something to say."""
    deep = RANDOM.integers(0, 60_000, (64, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "zlib.tif", deep, compression="zlib")
    for compression in ("tiff_lzw", "jpeg", "tiff_deflate", "group4"):
        picture = PHOTO.resize((64, 64)).convert("1" if compression == "group4" else "RGB")
        picture.save(tmp_path / f"{compression}.tif", compression=compression)
    PHOTO.save(tmp_path / "photo.jpg")
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(deep))
    (tmp_path / "deep.jp2").write_bytes(imagecodecs.jpeg2k_encode(deep, level=0))
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        for at in (4, 60, len(content) // 2):
            yield path.name, content[:at] + bytes(20) + content[at + 20 :]
        yield path.name, content[: -len(content) // 4]


def test_what_decoding_libraries_print_does_not_reach_the_terminal(tmp_path, capfd):
    for name, content in broken(tmp_path):
        with suppress(BadImage):
            decode(name, content)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "git-lfs-pointer", "of git-lfs"),
     (b"<!DOCTYPE html><html>", "not-an-image", "download failed")],
)  # fmt: skip
def test_what_stands_in_a_pictures_place_is_called_what_it_is(tmp_path, content, code, said):
    draw_classes(tmp_path / "photos", each=2)
    (tmp_path / "photos" / "cat" / "x.jpg").write_bytes(content)
    found = [
        finding for finding in inspect(tmp_path / "photos", DataSettings()).errors if "cat/x.jpg" in finding.subject
    ]
    assert [(finding.code, said in finding.text) for finding in found] == [(code, True)]


def test_init_says_why_there_are_no_images(tmp_path):
    for number in range(3):
        (tmp_path / "photos" / "cat").mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / "cat" / f"{number}.nd2").write_bytes(b"x")
    (line,) = [line for line in scaffold(tmp_path).lines if "images" in line]
    assert line.startswith("no images that can be read: 3 .nd2 (a microscope's own files); export")


def saved(pixels: np.ndarray, **how: object) -> bytes:
    made = BytesIO()
    np.save(made, pixels, **how)
    return made.getvalue()


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3)])
@pytest.mark.parametrize("kind", ["uint8", "bool", "uint16", "int16", "float32", "float64", ">i4", "int64"])
def test_an_array_of_numpy_keeps_its_values(shape, kind):
    pixels = RANDOM.integers(0, 2 if kind == "bool" else 200, shape).astype(kind)
    found = decode("1.npy", saved(np.asfortranarray(pixels))).pixels
    if kind in ("uint8", "bool"):
        assert (found.dtype, found.shape) == (np.uint8, (5, 4, 3))
        pixels = pixels.astype(np.uint8) * (255 if kind == "bool" else 1)
    assert np.array_equal(found, np.broadcast_to(pixels.reshape(5, 4, -1), found.shape))


@pytest.mark.parametrize(
    ("content", "said"),
    [(saved(np.zeros((2, 3, 4, 5))), "shape"), (saved(np.zeros((9, 8, 2))), "shape"), (saved(np.zeros(7)), "shape"),
     (saved(np.array([["a"]])), "numbers of the kind"), (saved(np.zeros((4, 4)))[:-1], "not in the file"),
     (saved(np.array([[{}]], dtype=object), allow_pickle=True), "numbers of the kind object"),
     (b"x" * 99, "not an array"), (saved(np.zeros((4, 4)))[:20], "not an array"), (saved(np.zeros((4, 0))), "shape")],
)  # fmt: skip
def test_an_array_that_is_no_picture_is_refused_and_nothing_in_it_is_run(content, said):
    with pytest.raises(BadImage, match=said):
        decode("1.npy", content)


def test_an_array_that_says_it_is_huge_takes_no_memory():
    huge = saved(np.zeros((4, 4), dtype=np.uint8)).replace(b"(4, 4), }", b"(9999, 9999), }"[:17])
    with pytest.raises(BadImage):
        decode("1.npy", huge)
    with pytest.raises(BadImage, match="million pixels"):
        decode("1.npy", saved(np.zeros((4, 4), dtype=np.uint8)), most_pixels=15)


def forged(suffix: str, tmp_path: Path) -> bytes:
    """A small file whose head speaks of 60,000 x 60,000 pixels."""
    PHOTO.save(tmp_path / f"photo{suffix}")
    content = (tmp_path / f"photo{suffix}").read_bytes()
    small, large = PHOTO.size, (60_000, 60_000)
    match suffix:
        case ".ppm":
            return content.replace(b"23 17", b"60000 60000")
        case ".tga":
            return content.replace(struct.pack("<HH", *small), struct.pack("<HH", *large), 1)
    return content.replace(struct.pack(">LL", *small), struct.pack(">LL", *large)).replace(
        struct.pack(">LL", *small[::-1]), struct.pack(">LL", *large)
    )


@pytest.mark.parametrize("suffix", [".avif", ".j2k", ".jp2", ".ppm", ".qoi", ".tga"])
def test_a_head_that_speaks_of_too_many_pixels_is_refused_before_memory_is_taken(tmp_path, suffix):
    content = forged(suffix, tmp_path)
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadImage):
        decode(f"photo{suffix}", content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes
