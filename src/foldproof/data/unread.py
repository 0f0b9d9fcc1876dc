"""Say why a file is not read as an image, by its suffix and content; None if a reader takes it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from foldproof.data.heads import HEAD_BYTES, format_of
from foldproof.data.readers import BY_CONTENT, has_reader, suffix_of

_BACKUPS = frozenset(
    {".bak", ".old", ".orig", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp"}
)


class Unread(NamedTuple):
    """`format`: what pictures of this kind are called; empty for what is no picture. `way`: what to type or do."""

    reason: str
    way: str = ""
    format: str = ""


class _Format(NamedTuple):
    name: str
    way: str
    suffix: str = ""


_HEIC = _Format(
    "HEIC photographs", "read them: `pip install 'foldproof[heic]'`; or convert: `heif-convert IN OUT.png`", ".heic"
)
_DICOM = _Format("DICOM", "read them: `pip install 'foldproof[dicom]'`; or export them as 16-bit PNG or TIFF", ".dcm")
_ARRAY = _Format(
    "several arrays of NumPy in one file", "save each separately: `numpy.save('1.npy', numpy.load('1.npz')[NAME])`"
)
_VOLUME = _Format(
    "volumes", "save each slice that is wanted as a TIFF or 16-bit PNG, with the patient in its folder's name"
)
_SLIDE = _Format("whole slides", "cut each into tiles, and keep a slide's tiles in a folder: data.group_by: parent")
_MICROSCOPE = _Format("a microscope's own files", "export each plane that is wanted as TIFF: `bfconvert IN OUT.tif`")
_RAW = _Format("a camera's raw files", "develop them alike to TIFF or JPEG: `dcraw -T -6 IN`")
_DRAWING = _Format("drawings or documents", "export each picture as PNG")
_FILM = _Format(
    "films", "cut frames out: `ffmpeg -i IN -vf fps=1 OUT/%04d.png`, a folder a film: data.group_by: parent"
)
_ARCHIVE = _Format("archives", "unpack them here")
_TABLE = _Format("tables of many arrays", "write each picture as a file: a PNG or TIFF in the folder of its class")
_OTHER = _Format("pictures of another format", "convert them to PNG or TIFF: `magick mogrify -format png FILES`")

_FORMATS: Mapping[str, _Format] = {
    **dict.fromkeys((".heic", ".heif", ".hif"), _HEIC),
    **dict.fromkeys((".dcm", ".dicom", ".ima"), _DICOM),
    **dict.fromkeys((".npz",), _ARRAY),
    **dict.fromkeys((".nii", ".mha", ".mhd", ".nrrd", ".nhdr", ".mnc", ".mgz", ".mrc"), _VOLUME),
    **dict.fromkeys((".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms"), _SLIDE),
    **dict.fromkeys((".czi", ".lif", ".nd2", ".oib", ".oif", ".lsm", ".vsi", ".ims", ".dm3", ".dm4"), _MICROSCOPE),
    **dict.fromkeys((".cr2", ".cr3", ".nef", ".nrw", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef", ".srw"), _RAW),
    **dict.fromkeys((".psd", ".xcf", ".ai", ".svg", ".eps", ".ps", ".pdf"), _DRAWING),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".m4v", ".3gp"), _FILM),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".rar", ".7z"), _ARCHIVE),
    **dict.fromkeys((".tfrecord", ".tfrecords", ".tfrec", ".h5", ".hdf5", ".lmdb", ".mat", ".pkl", ".pickle"), _TABLE),
    **dict.fromkeys((".jxl", ".exr", ".hdr", ".fits", ".fit", ".fts", ".pfm", ".dds", ".pcx", ".ico"), _OTHER),
}
_BY_CONTENT: Mapping[str, _Format] = {"HEIC": _HEIC, "DICOM": _DICOM}


def why_unread(path: Path, known: Collection[str]) -> Unread | None:
    """Why the file is not read. `known`: the suffixes that a reader takes; a file without one is opened, to see."""
    suffix = suffix_of(path.name)
    if suffix in known:
        return None
    if (format_ := _FORMATS.get(suffix)) is not None:
        return _unread(format_)
    set_aside = suffix_of(path.stem) in known or suffix in _BACKUPS  # 1.png.old
    found = "" if set_aside else format_of(_head(path))
    if found in BY_CONTENT:
        return None
    if (format_ := _BY_CONTENT.get(found)) is not None:
        return None if has_reader(format_.suffix) else _unread(format_)
    return Unread(f"no reader for '{suffix}'" if suffix else "no suffix")


def counted(unread: Mapping[str, Unread]) -> Mapping[str, tuple[int, Unread, str]]:
    """By suffix, how many pictures are not read, why, and the first of them."""
    found: dict[str, tuple[int, Unread, str]] = {}
    for path, why in unread.items():
        if why.format:
            count, first, example = found.get(suffix_of(path), (0, why, path))
            found[suffix_of(path)] = (count + 1, first, example)
    return found


def _unread(format_: _Format) -> Unread:
    return Unread(f"{format_.name}, which are not read", format_.way, format_.name)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""
