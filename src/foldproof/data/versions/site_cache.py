"""Give DVC a private folder for its index, which is made of pickles that anyone with write access could forge.

DVC would take the folder that a repository's own settings name, or one in `/var/tmp` that everybody may write to.
"""

import atexit
import os
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path

import platformdirs

VARIABLE = "DVC_SITE_CACHE_DIR"  # wins over all settings of DVC's; processes that we start inherit it


def set_site_cache() -> None:
    """Make DVC keep its index in a folder that only the user can open, unless the environment names one."""
    if not os.environ.get(VARIABLE):
        folder = platformdirs.user_cache_path("foldproof", appauthor=False) / "dvc"
        os.environ[VARIABLE] = str(folder if _is_private(folder) else _temporary())


def _is_private(folder: Path) -> bool:
    """Whether `folder`, made where it is missing, is nobody else's and no link."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(info.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
        return False
    return os.name == "nt" or (info.st_uid == os.geteuid() and not info.st_mode & 0o077)


@cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="foldproof-dvc-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
