"""A path in; what on it a system, a network drive or an editor has left beside people's files, out. Pure."""

import re
from functools import lru_cache

FOLDERS = frozenset(
    {"@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found",
     "__macosx", "__pycache__", "network trash folder", "temporary items", "thevolumesettingsfolder", ".appledouble",
     ".ipynb_checkpoints", ".trashes", ".thumbnails", ".spotlight-v100", ".fseventsd", ".documentrevisions-v100",
     ".temporaryitems", ".@__thumb"}
)  # fmt: skip
FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".ds_store", ".directory", ".nomedia"})
_FOLDER = re.compile(r"\.trash-\d+|found\.\d{3}")
_RESOURCE_FORK = "._"


def furniture_on(path: str) -> str | None:
    """The name of the first folder or file on a path with slashes that is no one's own; None where all are.

    Every resource fork of macOS, `._cat.jpg`, goes by `._*`.
    """
    *folders, name = path.split("/")
    for folder in folders:
        if is_furniture(folder):
            return folder
    if name.startswith(_RESOURCE_FORK):
        return f"{_RESOURCE_FORK}*"
    return name if is_furniture(name) or name.casefold() in FILES else None


@lru_cache(maxsize=4096)
def is_furniture(folder: str) -> bool:
    """Whether a folder of this name is the system's."""
    lower = folder.casefold()
    return lower in FOLDERS or _FOLDER.fullmatch(lower) is not None
