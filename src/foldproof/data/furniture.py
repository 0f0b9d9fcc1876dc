"""Recognise files that systems, network drives and editors leave beside people's files. Pure."""

import re
from functools import lru_cache

FOLDERS = frozenset(
    {"@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin", "recycler",
     "system volume information", "lost+found", "lost.dir", "__macosx", "__pycache__", "network trash folder",
     "@synoeastream", "@synoresource", "temporary items", "thevolumesettingsfolder", ".appledouble",
     ".ipynb_checkpoints", ".trashes", ".thumbnails",
     ".spotlight-v100", ".fseventsd", ".documentrevisions-v100", ".temporaryitems", ".@__thumb"}
)  # fmt: skip
FILES = frozenset(
    {"thumbs.db", "ehthumbs.db", "zbthumbnail.info", "picasa.ini", "desktop.ini", "icon\r", ".ds_store", ".directory",
     ".nomedia"}
)  # fmt: skip
_FOLDER = re.compile(r"\.trash-\d+|found\.\d{3}")
_RESOURCE_FORK = "._"


def furniture_on(path: str) -> str | None:
    """The name of the first folder or file on a path with slashes that is no one's own; None where all are.

    Every resource fork of macOS, `._cat.jpg`, goes by `._*`.
    """
    folders, _, name = path.rpartition("/")
    if (found := _among(folders)) is not None:
        return found
    if name.startswith(_RESOURCE_FORK):
        return f"{_RESOURCE_FORK}*"
    lower = name.casefold()
    return name if lower in FILES or _is_folder(lower) else None


@lru_cache(maxsize=4096)
def _among(folders: str) -> str | None:
    return next(filter(is_furniture, folders.split("/")), None)


def is_furniture(folder: str) -> bool:
    """Whether a folder of this name is the system's."""
    return _is_folder(folder.casefold())


def _is_folder(lower: str) -> bool:
    return lower in FOLDERS or (lower.startswith((".trash-", "found.")) and _FOLDER.fullmatch(lower) is not None)
