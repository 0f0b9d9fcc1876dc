"""HEIC and DICOM through the extras that read them; without these, what is said."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foldproof.config.schema import DataSettings
from foldproof.data import readers
from foldproof.data.readers import decode, reader_named, suffixes
from foldproof.data.scan import scan
from foldproof.errors import BadImage, DataError
from foldproof.training_data.inspection import inspect

RANDOM = np.random.default_rng(8)
PHOTO = Image.fromarray(RANDOM.integers(0, 256, (3, 4, 3), dtype=np.uint8)).resize((32, 24), Image.Resampling.BICUBIC)


@pytest.fixture
def without_extras(monkeypatch):
    for cached in (readers._is_installed, readers.has_reader):
        cached.cache_clear()
    monkeypatch.setattr(readers, "find_spec", lambda _: None)
    yield
    for cached in (readers._is_installed, readers.has_reader):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("name", "content", "extra"),
    [("1.heic", b"\0\0\0\x18ftypheic", "heic"), ("1.dcm", bytes(128) + b"DICM", "dicom"),
     ("1", b"\0\0\0\x18ftypheic", "heic"), ("IM0001", bytes(128) + b"DICM", "dicom")],
)  # fmt: skip
def test_without_the_extra_it_is_said_what_to_install(without_extras, tmp_path, name, content, extra):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / name).write_bytes(content + bytes(99))
    assert not {".heic", ".dcm"} & suffixes()
    with pytest.raises(DataError, match="that can be read: 1 ") as raised:
        scan(tmp_path)
    assert f"pip install 'foldproof[{extra}]'" in raised.value.next_step


def test_a_heic_photograph_is_read_by_its_suffix_and_by_its_content():
    pillow_heif = pytest.importorskip("pillow_heif")
    made = BytesIO()
    pillow_heif.from_pillow(PHOTO).save(made, quality=-1)
    image = decode("photo.heic", made.getvalue())
    assert (image.format, image.pixels.shape, image.traits) == ("HEIF", (24, 32, 3), ())
    assert np.abs(image.pixels.astype(int) - np.asarray(PHOTO)).mean() < 8
    assert np.array_equal(decode("photo", made.getvalue()).pixels, image.pixels)
    assert reader_named(".heic").startswith("foldproof.data.heic:read_heic pillow-heif ")
    with pytest.raises(BadImage, match="million pixels"):
        decode("photo.heic", made.getvalue(), most_pixels=24 * 32 - 1)
    with pytest.raises(BadImage):
        decode("photo.heic", made.getvalue()[:200])


def dicom(pixels: np.ndarray, **tags: object) -> bytes:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    made.PlanarConfiguration = 0
    made.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8 * pixels.dtype.itemsize
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(made, name, value)
    made.HighBit = made.BitsStored - 1
    file = BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


BYTES = RANDOM.integers(0, 256, (6, 5), dtype=np.uint8)
DEEP = RANDOM.integers(0, 4096, (6, 5)).astype(np.uint16)


def grey(content: bytes) -> np.ndarray:
    pixels = decode("1.dcm", content).pixels
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


def test_grey_of_8_bits_is_as_it_stands_and_upside_down_where_white_is_zero():
    assert np.array_equal(grey(dicom(BYTES)), BYTES)
    assert np.array_equal(grey(dicom(BYTES, PhotometricInterpretation="MONOCHROME1")), 255 - BYTES)
    assert np.array_equal(decode("IM_0001", dicom(BYTES)).pixels[..., 0], BYTES)


def test_colours_are_as_they_stand():
    assert np.array_equal(decode("1.dcm", dicom(np.asarray(PHOTO))).pixels, np.asarray(PHOTO))


def test_a_window_says_what_is_black_and_white():
    image = decode("1.dcm", dicom(DEEP, BitsStored=12, WindowCenter=2000, WindowWidth=1001))
    assert image.traits == ("windowed",)
    shown = image.pixels[..., 0].astype(float)
    assert (shown[DEEP <= 1499] == 0).all()
    assert (shown[DEEP >= 2500] == 255).all()
    inside = (DEEP > 1500) & (DEEP < 2500)
    assert np.allclose(shown[inside], 255 * (DEEP[inside] - 1499.5) / 1000, atol=1)
    inverted = grey(
        dicom(DEEP, BitsStored=12, WindowCenter=2000, WindowWidth=1001, PhotometricInterpretation="MONOCHROME1")
    )
    assert np.abs(inverted.astype(float) - (255 - shown)).max() <= 1


def test_without_a_window_values_are_those_that_the_file_means():
    signed = (DEEP.astype(np.int32) - 2000).astype(np.int16)
    image = decode("1.dcm", dicom(signed, RescaleSlope=2, RescaleIntercept=-24))
    assert image.pixels.dtype == np.int32
    assert np.array_equal(image.pixels[..., 0], 2 * signed.astype(int) - 24)
    assert decode("1.dcm", dicom(DEEP, RescaleSlope=0.5, RescaleIntercept=0)).pixels.dtype == np.float32
    upside_down = decode("1.dcm", dicom(DEEP, BitsStored=12, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(upside_down.pixels[..., 0], 4095 - DEEP)


def test_a_file_that_is_packed_as_a_whole_is_refused_before_it_is_unpacked():
    pydicom = pytest.importorskip("pydicom")
    made = pydicom.dcmread(BytesIO(dicom(BYTES)))
    made.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    file = BytesIO()
    made.save_as(file)
    with pytest.raises(BadImage, match="packed by Deflate"):
        decode("1.dcm", file.getvalue())


@pytest.mark.parametrize(
    ("tags", "said"),
    [({"NumberOfFrames": 2}, "2 frames"), ({"PhotometricInterpretation": "HSV"}, "photometric interpretation HSV"),
     ({"Rows": 60_000, "Columns": 60_000}, "million pixels"), ({"Rows": 7}, "cannot be decoded")],
)  # fmt: skip
def test_what_is_not_one_picture_is_refused_by_name(tags, said):
    with pytest.raises(BadImage, match=said):
        decode("1.dcm", dicom(BYTES, **tags))


def test_nothing_but_a_refusal_comes_out_of_damaged_files():
    content = dicom(DEEP, BitsStored=12, WindowCenter=2000, WindowWidth=1001)
    for _ in range(200):
        broken = bytearray(content)
        for place in RANDOM.integers(0, len(content), 5):
            broken[place] = RANDOM.integers(0, 256)
        with suppress(BadImage):
            decode("1.dcm", bytes(broken[: RANDOM.integers(1, len(content))]))


def patients(folder: Path) -> None:
    for number in range(8):
        label = ("ill", "well")[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        pixels = RANDOM.integers(0, 256, (64, 64), dtype=np.uint8)
        (folder / label / f"{number}.dcm").write_bytes(dicom(pixels, PatientID=f"P{number // 2}"))


def test_images_of_one_patient_are_one_group_and_it_is_said(tmp_path):
    patients(tmp_path)
    seen = inspect(tmp_path, DataSettings())
    assert {sample.path[-5]: sample.group for sample in seen.dataset.samples} == {
        str(n): f"P{n // 2}" for n in range(8)
    }
    (told,) = seen.found.described.told
    assert told.startswith("4 patients by the PatientID of 8 DICOM files")
    by_file = inspect(tmp_path, DataSettings(group_by=r"([0-9]+)\.dcm"))
    assert len({sample.group for sample in by_file.dataset.samples}) == 8
