"""Read a DICOM file and its patient, through pydicom: `pip install 'foldproof[dicom]'`.

Black and white are what the file says: its window, its lookup table or the full scale of 8 bits. One without a window
keeps its values, rescaled as it says, as a TIFF of more than 8 bits does.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from foldproof.data.deep import too_large, unsupported
from foldproof.data.readers import Image, has_reader, suffix_of
from foldproof.data.values import Pixels
from foldproof.errors import BadImage

if TYPE_CHECKING:
    from pydicom import Dataset

SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
_COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_MOST_BITS = 16
_DEFLATED = "1.2.840.10008.1.2.1.99"


def read_dicom(file: BinaryIO, most_pixels: int) -> Image:
    """Grey with black as zero, or RGB. Raises BadImage for what is damaged, has several frames or another meaning."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _check_unpacked(file)
            dataset = dcmread(file)
            _check(dataset, most_pixels)
            pixels, traits = _colours(dataset) if _meaning(dataset) not in _GREY else _greys(dataset)
        except BadImage:
            raise
        except InvalidDicomError:
            raise BadImage("not a DICOM file", code="not-an-image", next_step="replace it, or remove it") from None
        except Exception as error:  # noqa: BLE001 (of damaged files pydicom raises whatever it comes to)
            said = " ".join(str(error).split())[:120] or type(error).__name__
            raise BadImage(f"cannot be decoded: {said}", code="damaged", next_step="export it as PNG or TIFF") from None
    return Image(pixels, format="DICOM", camera=_camera(dataset), traits=traits)


def may_be_dicom(path: str) -> bool:
    """Whether a file that is read may be one by its name, or its name does not say."""
    suffix = suffix_of(path)
    return has_reader(".dcm") and (suffix in SUFFIXES or not has_reader(suffix))


def patient_of(path: Path) -> str:
    """The PatientID in the head of a file; empty where there is none, or where it is no DICOM file."""
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = dcmread(path, stop_before_pixels=True, specific_tags=["PatientID"])
        except Exception:  # noqa: BLE001 (a file that cannot be read is named when it is decoded)
            return ""
        return str(dataset.get("PatientID", "")).strip()


def _check_unpacked(file: BinaryIO) -> None:
    """Raises BadImage for a file that is packed as a whole: nothing says how large it is inside."""
    from pydicom.filereader import read_partial

    head = read_partial(file, stop_when=lambda tag, *_: tag.group > 2)
    if head.file_meta.get("TransferSyntaxUID") == _DEFLATED:
        raise unsupported("packed by Deflate")
    file.seek(0)


def _check(dataset: "Dataset", most_pixels: int) -> None:
    if "PixelData" not in dataset:
        raise unsupported("no picture in it: a report, a wave or a directory")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise unsupported(f"{frames:,} frames in one file")
    if dataset.Rows * dataset.Columns > most_pixels:
        raise too_large(dataset.Columns, dataset.Rows, most_pixels)
    if _meaning(dataset) not in _GREY | _COLOUR | {"PALETTE COLOR"}:
        raise unsupported(f"photometric interpretation {_meaning(dataset) or 'unknown'}")
    if int(dataset.BitsAllocated) > _MOST_BITS or (_meaning(dataset) not in _GREY and int(dataset.BitsAllocated) > 8):
        raise unsupported(f"{dataset.BitsAllocated} bits a channel")


def _meaning(dataset: "Dataset") -> str:
    return str(dataset.get("PhotometricInterpretation", ""))


def _colours(dataset: "Dataset") -> tuple[Pixels, tuple[str, ...]]:
    from pydicom.pixels import apply_color_lut

    if _meaning(dataset) != "PALETTE COLOR":
        return np.ascontiguousarray(dataset.pixel_array), ()  # pydicom makes RGB of every YBR
    coloured = apply_color_lut(dataset.pixel_array, dataset)
    return np.ascontiguousarray((coloured >> 8 if coloured.dtype == np.uint16 else coloured)[..., :3]), ("palette",)


def _greys(dataset: "Dataset") -> tuple[Pixels, tuple[str, ...]]:
    """By the window where there is one, 8 bits as they are, else the values that the file means."""
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    stored, inverted = dataset.pixel_array, _meaning(dataset) == "MONOCHROME1"
    if "VOILUTSequence" in dataset or "WindowCenter" in dataset:
        shown = apply_voi_lut(apply_modality_lut(stored, dataset), dataset)
        black, white = _ends(dataset)
        levels = np.clip((shown.astype(np.float64) - black) / (white - black), 0.0, 1.0)
        return _as_rgb(np.rint(255 * (1 - levels if inverted else levels)).astype(np.uint8)), ("windowed",)
    if inverted:
        stored = _largest(dataset) - stored.astype(np.int64) + _smallest(dataset)
    if int(dataset.BitsStored) == 8 and not int(dataset.PixelRepresentation) and "RescaleSlope" not in dataset:
        return _as_rgb(stored.astype(np.uint8)), ()
    meant = apply_modality_lut(stored, dataset)
    is_whole = np.array_equal(meant, np.rint(meant))
    return meant.astype(np.int32 if is_whole else np.float32)[..., None], ()


def _ends(dataset: "Dataset") -> tuple[float, float]:
    """Between which values a window or lookup table puts what it shows, as pydicom does."""
    if "VOILUTSequence" in dataset:
        return 0.0, float(2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    slope, intercept = (
        float(dataset.get(name, usual)) for name, usual in (("RescaleSlope", 1), ("RescaleIntercept", 0))
    )
    ends = sorted((_smallest(dataset) * slope + intercept, _largest(dataset) * slope + intercept))
    return ends[0], ends[1]


def _smallest(dataset: "Dataset") -> int:
    return -(2 ** (int(dataset.BitsStored) - 1)) if int(dataset.PixelRepresentation) else 0


def _largest(dataset: "Dataset") -> int:
    return int(2 ** int(dataset.BitsStored)) - 1 + _smallest(dataset)


def _as_rgb(grey: Pixels) -> Pixels:
    return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3)))


def _camera(dataset: Any) -> str:
    said = (dataset.get("Manufacturer"), dataset.get("ManufacturerModelName"))
    return " ".join(" ".join(str(one).split())[:60] for one in said if one)
