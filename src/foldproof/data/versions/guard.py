"""Check the files that DVC is about to read: each must be a plain file of a reasonable size.

DVC opens whatever stands under these names: on a pipe it waits for ever, a device or a nest of YAML aliases takes all
memory, and through a link it writes into another file.
"""

import os
import re
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from foldproof.data.versions.astray import refuse_committed_links
from foldproof.data.versions.yaml_weight import too_heavy
from foldproof.errors import DataError

MB = 2**20
_MOST_BYTES = {".dvcignore": MB, ".gitignore": 4 * MB, "dvc.yaml": 2 * MB, "dvc.lock": 16 * MB}
_MOST_OF_A_RECORD = 16 * MB  # a .dvc file, which lists every file where the remote keeps versions itself
_SETTINGS = ("config", "config.local")
_MOST_SETTINGS = MB
_MOST_REFERENCES = 20  # `%(name)s` in settings: each may stand for many more
_OF_A_CACHE = re.compile("[0-9a-f]{2}")  # folders of DVC 2; those of DVC 3 lie in files/md5
_WRITTEN = ("lock", "rwlock", "rwlock.lock", "btime", "foldproof/lock")  # in .dvc/tmp, by DVC or by us


def refuse_strange_home(root: Path) -> None:
    """Raises DataError where DVC's own folder in `root` would make it wait, or write outside of the repository."""
    home = root / ".dvc"
    for folder in (home, home / "tmp", home / "tmp" / "foldproof", home / "cache"):
        refuse_committed_links(folder)
        if os.path.lexists(folder) and not folder.is_dir():
            raise _strange(folder, "is no folder")
    for folder in (home / "cache", home / "cache" / "files", home / "cache" / "files" / "md5"):
        for link in _links_in(folder):
            refuse_committed_links(link)
    for name in (".gitignore", *(f"tmp/{name}" for name in _WRITTEN)):
        refuse_link(home / name)
    for name in _SETTINGS:
        refuse_committed_links(home / name)
        refuse_unreadable(home / name)
    for folder in _up_to_git(root):
        refuse_unreadable(folder / ".gitignore")


def refuse_strange_cache(root: Path, cache: Path) -> None:
    """Raises DataError where .dvc/config has DVC's cache in a folder outside of `root` that holds something else."""
    if Path(os.path.realpath(cache)).is_relative_to(os.path.realpath(root)) or not cache.is_dir():
        return
    names = [path.name for path in cache.iterdir()]
    if names and not (cache / "files" / "md5").is_dir() and not any(_OF_A_CACHE.fullmatch(name) for name in names):
        raise DataError(
            f".dvc/config has DVC's cache in {cache}, which holds other files and is no cache",
            next_step=f"if that is what you want: `dvc cache dir --local {shlex.quote(str(cache))}`",
        )


def _links_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            return [Path(entry.path) for entry in found if entry.is_symlink()]
    except OSError:
        return []


def refuse_link(path: Path) -> None:
    """Raises DataError where something else than a plain file stands at `path`: it would be written through."""
    try:
        info = path.lstat()
    except OSError:
        return
    if not stat.S_ISREG(info.st_mode):
        raise _strange(path, "is a link" if stat.S_ISLNK(info.st_mode) else "is no plain file")


def refuse_strange(folder: str, folders: Iterable[str], files: Iterable[str]) -> None:
    """Raises DataError where a file that DVC reads in a folder, or to enter one in it, cannot be read safely."""
    for name in files:
        if name == ".gitignore" or is_dvcs(name):
            refuse_unreadable(Path(folder, name))
    for name in folders:
        refuse_unreadable(Path(folder, name, ".gitignore"))


def is_dvcs(name: str) -> bool:
    """Whether DVC reads a file of this name wherever it lies."""
    return name in (".dvcignore", "dvc.yaml", "dvc.lock") or name.endswith(".dvc")


def refuse_unreadable(path: Path) -> None:
    """Raises DataError where `path` is there and no plain file, or more than DVC could read; a link may lead to one."""
    try:
        info = path.stat()
    except OSError:
        return
    if not stat.S_ISREG(info.st_mode):
        raise _strange(path, "is no plain file")
    most = _most_bytes(path)
    if most is not None and info.st_size > most:
        raise _strange(path, f"has {info.st_size:,} bytes; {most:,} are the most that is read")
    if _is_settings(path) and path.read_bytes().count(b"%(") > _MOST_REFERENCES:
        raise _strange(path, "refers to itself too often")
    if is_dvcs(path.name) and path.name != ".dvcignore" and (why := too_heavy(path.read_bytes())):
        raise _strange(path, why)


def _most_bytes(path: Path) -> int | None:
    if _is_settings(path):
        return _MOST_SETTINGS
    return _MOST_BYTES.get(path.name, _MOST_OF_A_RECORD if is_dvcs(path.name) else None)


def _is_settings(path: Path) -> bool:
    return path.name in _SETTINGS and path.parent.name == ".dvc"


def _up_to_git(root: Path) -> Iterable[Path]:
    """`root` and the folders around it, to where git's repository begins: git reads a .gitignore in each."""
    for folder in (root, *root.parents):
        yield folder
        if os.path.lexists(folder / ".git"):
            return


def _strange(path: Path, why: str) -> DataError:
    return DataError(f"{path} {why}: DVC is not let near it", next_step="replace or remove it, then try again")
