"""Read the entries of a ZIP file that anyone may have made, and where each goes. Unpacks nothing.

What stands in its directory and what stands before each file have to say the same, and no byte may belong to two files
or to none: so there is one way to read it.
"""

import os
import struct
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from foldproof.storage import RelativePath
from foldproof.storage.limits import BUNDLE_BYTES, BUNDLE_FILES, BUNDLE_RATIO, BUNDLE_SMALL_BYTES

_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_MANY = 0xFFFF  # as many entries, or more, and another record has their number
_ENCRYPTED, _DESCRIBED_BEHIND, _UTF8 = 0x1, 0x8, 0x800
_DESCRIPTOR_BYTES = 24  # at most, behind a file whose size was not known before
_MOST_DIRECTORY_BYTES = 512 * BUNDLE_FILES
_ELSEWHERE = 0xFFFFFFFF
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Entry:
    """A file in the archive, and where below the bundle's folder it goes."""

    info: zipfile.ZipInfo
    name: RelativePath


def check_end(path: Path) -> None:
    """Raises ValueError where the file does not end as a ZIP file of one part that holds few enough files does."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _END.size, 0))
        end = file.read(_END.size)
    if len(end) < _END.size or end[:4] != b"PK\5\6":
        raise ValueError("it does not end as a ZIP file, or something stands behind its end")
    _, disk, first_disk, here, files, directory, _, _ = _END.unpack(end)
    if disk or first_disk or here != files:
        raise ValueError("it is one part of several")
    if files < _MANY and directory < 46 * files:
        raise ValueError("its directory is too short")
    if directory > _MOST_DIRECTORY_BYTES and directory != _ELSEWHERE:
        raise ValueError(f"its directory has {directory:,} bytes")


def entries_of(archive: zipfile.ZipFile, packed: int) -> tuple[Entry, ...]:
    """The files of an archive of `packed` bytes. Raises ValueError or DamagedFile for what no bundle holds."""
    infos = archive.infolist()
    if len(infos) > BUNDLE_FILES:
        raise ValueError(f"{len(infos):,} files, more than {BUNDLE_FILES:,}")
    entries = tuple(Entry(info, _name(info)) for info in infos)
    _demand_one_place_each([entry.name for entry in entries])
    unpacked = sum(info.file_size for info in infos)
    if unpacked > BUNDLE_BYTES or unpacked > max(BUNDLE_SMALL_BYTES, BUNDLE_RATIO * packed):
        raise ValueError(f"its {packed:,} bytes would become {unpacked:,}")
    _demand_apart(archive, infos)
    return entries


def _name(info: zipfile.ZipInfo) -> RelativePath:
    """Where it goes. What says that it is a folder is refused; a link becomes a plain file."""
    said = info.orig_filename
    name = RelativePath.parse(said)
    if info.filename != said or PurePosixPath(said).as_posix() != said:
        raise ValueError(f"{said} is not spelled in the shortest way")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _PACKED:
        raise ValueError(f"{said} is encrypted, or packed in an unknown way")
    return name


def _demand_one_place_each(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise ValueError("a file stands in it twice")
    if len({_folded(name) for name in names}) != len(names):
        raise ValueError("names that differ only in capitals, or in how a character is spelled")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _demand_apart(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]) -> None:
    """Raises ValueError unless file follows file from the first byte to the directory."""
    file, at = archive.fp, 0
    assert file is not None
    for info in sorted(infos, key=lambda one: one.header_offset):
        behind = at + (_DESCRIPTOR_BYTES if at else 0)
        if not at <= info.header_offset <= behind:
            raise ValueError(f"{info.filename} lies within another file, or behind something unnamed")
        at = _end_of(file, info)
    if not at <= archive.start_dir <= at + _DESCRIPTOR_BYTES:
        raise ValueError("something unnamed lies before its directory")


def _end_of(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Where a file ends, as what stands before it says, which has to agree with the directory."""
    file.seek(info.header_offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        raise ValueError(f"{info.filename} is not where the directory says")
    _, _, flags, packed_by, _, _, _, packed, size, name, extra = _LOCAL.unpack(head)
    spelled = info.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437")
    sizes = (packed, size) in ((info.compress_size, info.file_size), (0xFFFFFFFF, 0xFFFFFFFF))
    if (
        file.read(name) != spelled
        or packed_by != info.compress_type
        or flags & _ENCRYPTED
        or not (sizes or flags & _DESCRIBED_BEHIND)
    ):
        raise ValueError(f"{info.filename} differs between the directory and where it lies")
    begins: int = info.header_offset + _LOCAL.size + name + extra
    return begins + info.compress_size
