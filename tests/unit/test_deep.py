"""Pictures of more than 8 bits a channel: read with every value, or refused by the name of what is not supported."""

import io
import struct
import warnings

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from foldproof.data.readers import decode
from foldproof.data.value_range import ValueRange
from foldproof.data.values import Values, scaled
from foldproof.errors import BadImage

RANDOM = np.random.default_rng(2)
OF_12_BITS = RANDOM.integers(0, 4096, (9, 14), dtype=np.uint16)
COLOUR = RANDOM.integers(0, 2**16, (9, 14, 3), dtype=np.uint16)
FLOATS = RANDOM.normal(0.0, 3.0, (9, 14)).astype(np.float32)


def tiff(pixels, **how):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **how)
    return file.getvalue()


def refused(name, content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadImage) as raised:
            decode(name, content)
    assert raised.value.next_step
    assert len(str(raised.value).splitlines()) <= 3
    return raised.value


STORED = (
    {},
    {"compression": "lzw", "predictor": True},
    {"compression": "zlib", "rowsperstrip": 4},
    {"compression": "packbits"},
    {"compression": "zstd"},
    {"tile": (16, 16), "compression": "lzw"},
    {"byteorder": ">"},
    {"bigtiff": True},
    {"imagej": True},
    {"ome": True},
)
NUMBERS = (OF_12_BITS, OF_12_BITS.astype(np.int16) - 2000, OF_12_BITS.astype(np.uint32) * 70_000, FLOATS)


@pytest.mark.parametrize(
    ("pixels", "how"),
    [
        pytest.param(pixels, how, id=f"{pixels.dtype} {how}")
        for pixels in NUMBERS
        for how in STORED
        if "imagej" not in how or pixels.dtype in (np.uint16, np.float32)
    ],
)
def test_every_value_of_a_grey_tiff_is_read_however_it_is_stored(pixels, how):
    image = decode("a.tif", tiff(pixels, **how))
    assert image.pixels.dtype == pixels.dtype
    assert image.pixels.dtype.isnative
    assert np.array_equal(image.pixels[..., 0], pixels)
    assert (image.pixels.shape, image.format, image.traits) == ((9, 14, 1), "TIFF", ())


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("pixels", [COLOUR, COLOUR.astype(np.float64) / 7], ids=lambda pixels: str(pixels.dtype))
def test_three_channels_keep_every_value_where_pillow_gives_black(pixels, planar):
    stored = pixels if planar == "contig" else np.moveaxis(pixels, 2, 0)
    image = decode("a.tif", tiff(stored, photometric="rgb", planarconfig=planar))
    assert np.array_equal(image.pixels, pixels)


def test_12_bits_that_are_packed_into_bytes_are_read_too():
    """Tags of a TIFF by hand: nothing here writes one."""
    bits = (OF_12_BITS[..., np.newaxis] >> np.arange(11, -1, -1)) & 1  # [row, column, bit]
    data = np.packbits(bits.reshape(9, -1).astype(np.uint8), axis=1).tobytes()
    values = {256: 14, 257: 9, 258: 12, 259: 1, 262: 1, 273: 122, 277: 1, 278: 9, 279: len(data)}
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    content = b"II*\0" + struct.pack("<IH", 8, len(values)) + tags + bytes(4) + data
    assert np.array_equal(decode("a.tif", content).pixels[..., 0], OF_12_BITS)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_of_16_bits_keeps_every_value(channels):
    pixels = COLOUR[..., :channels]
    image = decode("a.png", imagecodecs.png_encode(pixels.copy()))
    assert image.pixels.dtype == np.uint16
    assert np.array_equal(image.pixels, pixels)
    assert (image.format, image.traits) == ("PNG", ())


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("alpha", [65535, 65534])
def test_beside_a_transparency_of_16_bits_the_colour_beneath_is_used_and_said(colours, alpha):
    pixels = np.concatenate([COLOUR[..., :colours], np.full((9, 14, 1), alpha, np.uint16)], axis=2)
    photometric = "rgb" if colours == 3 else "minisblack"
    for name, content in (
        ("a.png", imagecodecs.png_encode(pixels)),
        ("a.tif", tiff(pixels, photometric=photometric, planarconfig="contig", extrasamples=["unassalpha"])),
    ):
        image = decode(name, content)
        assert np.array_equal(image.pixels, pixels[..., :colours])
        assert image.traits == (() if alpha == 65535 else ("alpha",))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_a_deep_picture_stands_upright_as_its_exif_says(suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(OF_12_BITS).save(file, format="TIFF" if suffix == ".tif" else "PNG", exif=exif)
    image = decode(f"a{suffix}", file.getvalue())
    with Image.open(file) as picture:
        assert np.array_equal(image.pixels[..., 0], np.asarray(ImageOps.exif_transpose(picture)))
    assert image.traits == (() if orientation == 1 else ("rotated",))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (tiff(np.stack([OF_12_BITS] * 2, 2), photometric="minisblack", planarconfig="contig"), "2 channels"),
        (tiff(np.stack([OF_12_BITS] * 3, 2), photometric="minisblack", planarconfig="contig"), "3 channels (grey"),
        (tiff(np.stack([OF_12_BITS] * 5), photometric="minisblack", planarconfig="separate"), "5 channels"),
        (tiff(np.stack([OF_12_BITS] * 5, 2), photometric="rgb"), "5 channels (RGB"),
        (tiff(np.stack([OF_12_BITS] * 4), photometric="minisblack"), "4 pictures in one file"),
        (tiff(np.stack([OF_12_BITS] * 4), imagej=True), "4 pictures in one file"),
        (tiff(np.stack([OF_12_BITS] * 4), ome=True), "4 pictures in one file"),
        (tiff(np.stack([OF_12_BITS] * 4), photometric="minisblack", volumetric=True), "4 pictures in one file"),
        (tiff(OF_12_BITS, photometric="miniswhite"), "zero is white"),
        (tiff(OF_12_BITS.astype(np.uint64)), "64 bits"),
        (tiff(FLOATS.astype(np.complex64)), "64 bits"),
        (tiff(OF_12_BITS, compression="jpegxl"), "JPEGXL"),
        (tiff(np.concatenate([COLOUR] * 2, 2)[..., :4], photometric="rgb", extrasamples=["assocalpha"]), "multiplied"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_supported_is_refused_by_its_name(content, word):
    error = refused("a.tif", content)
    assert word in error.what
    assert error.code == "unsupported"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_no_numbers_are_refused_and_counted(value):
    pixels = FLOATS.astype(np.float64)
    pixels[2, 3:5] = value
    error = refused("a.tif", tiff(pixels))
    assert (error.code, error.what) == ("not-finite", "2 of 126 values are no finite numbers")


@pytest.mark.parametrize("how", [{}, {"compression": "lzw"}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
def test_a_deep_picture_that_was_cut_off_is_never_filled_up_with_black(how):
    content = tiff(RANDOM.integers(0, 4096, (40, 50), dtype=np.uint16), rowsperstrip=8, **how)
    for share in (0.05, 0.3, 0.6, 0.9, 0.99):
        refused("a.tif", content[: int(share * len(content))])


def test_a_strip_that_is_not_there_is_never_black():
    content = tiff(OF_12_BITS, rowsperstrip=3)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        tag = file.pages[0].tags["StripByteCounts"]
        at, size = tag.valueoffset, tag.dtype
    broken = bytearray(content)
    broken[at : at + (2 if size == 3 else 4)] = bytes(2 if size == 3 else 4)
    assert "damaged" in refused("a.tif", bytes(broken)).what


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tif", tiff(OF_12_BITS, compression="lzw", predictor=True)),
        ("a.tif", tiff(COLOUR, photometric="rgb")),
        ("a.png", imagecodecs.png_encode(COLOUR)),
    ],
)
def test_nothing_but_a_bad_image_comes_out_of_damaged_deep_files(name, content):
    read = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(150):
            broken = bytearray(content)
            for place in RANDOM.integers(0, len(content), RANDOM.integers(1, 12)):
                broken[place] = RANDOM.integers(0, 256)
            try:
                read += decode(name, bytes(broken[: RANDOM.integers(1, len(content) + 1)])).pixels.size > 0
            except BadImage:
                continue
    assert read < 120


def test_the_limit_on_pixels_holds_before_anything_is_decoded():
    with pytest.raises(BadImage) as raised:
        decode("a.tif", tiff(np.stack([OF_12_BITS] * 5, 2), photometric="rgb"), most_pixels=100)
    assert raised.value.code == "too-large"


def test_8_bit_files_go_through_pillow_as_ever():
    for pixels in (RANDOM.integers(0, 256, (9, 14), dtype=np.uint8), RANDOM.integers(0, 256, (9, 14, 3), np.uint8)):
        image = decode("a.tif", tiff(pixels))
        assert (image.pixels.dtype, image.pixels.shape) == (np.uint8, (9, 14, 3))
        with Image.open(io.BytesIO(tiff(pixels))) as picture:
            assert np.array_equal(image.pixels, np.asarray(picture.convert("RGB")))


class TestValues:
    def test_a_range_runs_from_black_to_white_and_keeps_every_level_apart(self):
        within = ValueRange.between(0, 4095, whole=True)
        made = scaled(np.arange(4096, dtype=np.uint16).reshape(64, 64, 1), within)
        assert made.dtype == np.uint16
        assert (int(made.min()), int(made.max()), len(np.unique(made))) == (0, 65535, 4096)

    def test_what_lies_outside_becomes_the_nearest_end(self):
        within = ValueRange.between(-10, 10, whole=True)
        made = scaled(np.array([[[-500], [-10], [0], [10], [32000]]], dtype=np.int16), within)
        assert made[0, :, 0].tolist() == [0, 0, 128, 255, 255]

    def test_a_narrow_range_of_whole_numbers_takes_8_bits_and_everything_else_16(self):
        assert ValueRange.between(3, 258, whole=True).bits == 8
        assert ValueRange.between(3, 259, whole=True).bits == 16
        assert ValueRange.between(0, 1, whole=False).bits == 16

    def test_a_range_of_nothing_is_never_divided_by(self):
        for value in (0.0, 7.0, -3e30):
            within = ValueRange.between(value, value, whole=True)
            assert within.high > within.low
            assert scaled(np.full((1, 1, 1), value), within).tolist() == [[[0]]]

    def test_hot_pixels_are_told_from_what_most_pixels_are(self):
        pixels = np.full((50, 50, 1), 300, dtype=np.uint16)
        pixels[:25] = 100
        pixels[3, 4], pixels[5, 6] = 65535, 0
        assert Values.of(pixels) == Values(True, 0.0, 65535.0, 100.0, 300.0, 100.0, 300.0)

    def test_of_a_single_pixel_all_values_are_the_same(self):
        assert Values.of(np.full((1, 1, 1), 2.5)) == Values(False, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5)
