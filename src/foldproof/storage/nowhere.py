"""Explain a settings path that leads nowhere, and what to write instead."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from foldproof.errors import nearest
from foldproof.storage.redaction import redact

_DRIVE = re.compile(r"[A-Za-z]:(?=$|[\\/])")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%")


def why_no_path(path: Path) -> tuple[str, str] | None:
    """What is wrong with the spelling of a path that leads nowhere, and how to spell it; None where nothing is seen.

    The shell expands `~` and `$HOME`, and Windows reads backslashes; a settings file here does neither.
    """
    there, parts = _parted(path)
    if not parts:
        return None
    first = parts[0]
    if first.startswith("~"):
        home = Path.home() if first == "~" else Path("/home", first[1:])
        return f"'{first}' is not expanded in settings", f"write it out: {home.joinpath(*parts[1:])}"
    if variable := _VARIABLE.search("/".join(parts)):
        return _with_variable("/".join(parts), variable[0])
    if scheme := _SCHEME.fullmatch(first):
        return _address(scheme[1].lower(), parts[1:])
    strange = next((part for part in parts if os.sep == "/" and (_DRIVE.match(part) or "\\" in part)), None)
    if strange is None:
        return None
    return f"'{strange}' is a path of Windows, and this is {sys.platform}", _with_slashes(there, "/".join(parts))


def likely_name(path: Path, *, but: Path | None = None) -> str:
    """`did you mean 'x'?` where the folder of a path that leads nowhere has such a name, else nothing.

    `but`: what it cannot be.
    """
    try:
        names = sorted(one.name for one in path.parent.iterdir() if not one.name.startswith(".") and one != but)
    except OSError:
        return ""
    alike = {_plain(name): name for name in names}.get(_plain(path.name))
    return f"did you mean '{alike}'?" if alike else nearest(path.name, names)


def _parted(path: Path) -> tuple[Path, Sequence[str]]:
    """The longest beginning that is there, and the parts after it."""
    at = next(at for at in (path, *path.parents) if at == at.parent or os.path.lexists(at))
    return at, path.relative_to(at).parts


def _with_variable(spelled: str, name: str) -> tuple[str, str]:
    said = f"'{name}' is not expanded in settings"
    value = os.environ.get(name.strip("${}%"))
    if value is None:
        return said, "write the path out, or relative to the settings file"
    return said, f"write it out: {spelled.replace(name, value)}"


def _address(scheme: str, parts: Sequence[str]) -> tuple[str, str]:
    if scheme == "file":
        return "it is an address, and a path is wanted", f"write it as /{unquote('/'.join(parts))}"
    address = redact(f"{scheme}://" + "/".join(parts))
    return f"'{scheme}:' begins an address, and a path is wanted", f"bring it here: `dvc import-url {address}`"


def _with_slashes(there: Path, spelled: str) -> str:
    """A path of Windows as it is spelled here; one with a drive or a server lies elsewhere, its end may be here."""
    plain = re.sub(r"[\\/]+", "/", spelled)
    if not _DRIVE.match(plain) and not spelled.startswith("\\\\"):
        return f"write it with slashes, as in {plain}"
    parts = [part for part in _DRIVE.sub("", plain).split("/") if part]
    ends = ("/".join(parts[at:]) for at in range(len(parts)))
    here = next((end for end in ends if (there / end).exists()), parts[-1] if parts else "data/train")
    return f"write where it lies on this machine, with slashes, as in {here}"


def _plain(name: str) -> str:
    return name.strip(" \t'\"").casefold()
