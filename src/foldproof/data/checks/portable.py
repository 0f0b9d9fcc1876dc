"""Report image names that other systems cannot store. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from foldproof.data.checks.findings import Finding

LONGEST_NAME = 255  # bytes in UTF-8, on Linux; characters elsewhere
LONGEST_PATH = 200  # of the 260 characters that Windows allows by default, the rest for the folders around
_NOT_ON_WINDOWS = re.compile(r"""[<>:"|?*\\\x00-\x1f]""")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def unportable_names(paths: Iterable[str]) -> Iterator[Finding]:
    """Each folder once, with the number of images below; of files, the first of each reason with their number."""
    below: Counter[str] = Counter()
    files: dict[str, str] = {}
    alike: Counter[str] = Counter()
    for path in paths:
        folder, _, name = path.rpartition("/")
        below[folder] += 1
        if why := why_unportable(name) or _too_long(path):
            files.setdefault(why, path)
            alike[why] += 1
    for folder, count in sorted(_with_those_below(below).items()):
        if why := why_unportable(folder.rpartition("/")[2]):
            yield Finding("name-not-portable", folder, f"{_images(count)} below it; {why}")
    for why, path in files.items():
        yield Finding("name-not-portable", path, f"{_images(alike[why])}; {why}")


def _with_those_below(innermost: Mapping[str, int]) -> Mapping[str, int]:
    """The images of each folder, and of those around it, by path."""
    found: Counter[str] = Counter()
    for folder, images in innermost.items():
        parts = folder.split("/")
        for depth in range(len(parts)):
            found["/".join(parts[: depth + 1])] += images
    return found


def why_unportable(name: str) -> str:
    """Why some system cannot hold a file or folder of this name; empty where all can."""
    if _NOT_ON_WINDOWS.search(name):
        return 'Windows allows none of < > : " | ? * \\ and no control characters'
    if _DEVICE.fullmatch(name):
        return "a device on Windows"
    if name.endswith((".", " ")):
        return "Windows drops a dot or blank at the end"
    return f"over {LONGEST_NAME} bytes, too long for Linux" if len(name.encode()) > LONGEST_NAME else ""


def _too_long(path: str) -> str:
    return f"a path of over {LONGEST_PATH} characters, too long for Windows" if len(path) > LONGEST_PATH else ""


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count != 1 else ''}"
