"""Copy a file from a folder that somebody else may have given into one of ours."""

import os
import stat
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.storage.names import RelativePath
from foldproof.storage.reading import _READING, create_inside, regular_inside

_CHUNK = 2**20


def copy_inside(folder: Path, relative: str, into: Path, name: RelativePath, *, most_bytes: int) -> Path:
    """Copy the file `relative` below `folder` to a new file `name` below `into`; where that is.

    Raises as `regular_inside` and `create_inside` do, and DamagedFile where it is larger than `most_bytes`.
    """
    source = regular_inside(folder, relative, most_bytes=most_bytes)
    with open(os.open(source, _READING), "rb") as file:  # noqa: PTH123 - of a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _refused(source, "is no plain file")
        with create_inside(into, name) as copy:
            left = most_bytes
            while chunk := file.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise _refused(source, f"has more than {most_bytes:,} bytes")
                copy.write(chunk)
    return name.below(into)


def _refused(path: Path, why: str) -> DamagedFile:
    return DamagedFile(f"{path} {why}: it is not used", next_step="a record holds plain files; do not use this one")
