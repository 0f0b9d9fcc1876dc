"""Make a folder that only its user can change, so that its contents may be run."""

import os
import stat
from pathlib import Path

from foldproof.errors import StorageError
from foldproof.storage.refusal import next_step


def own_folder(path: Path) -> Path:
    """The folder `path`, made with mode 0700 where there is none, and shut to others where it was open.

    Raises StorageError where it is a link, no folder or another user's, or cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        info = path.lstat()
        if not stat.S_ISDIR(info.st_mode) or (os.name != "nt" and info.st_uid != os.getuid()):
            raise StorageError(
                f"{path} is no folder of your own: nothing in it is run",
                next_step="move it away, then try again",
            )
        if os.name != "nt" and stat.S_IMODE(info.st_mode) != 0o700:
            path.chmod(0o700)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}", next_step=next_step(error)) from error
    return path
