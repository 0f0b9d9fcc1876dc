"""List every file that `git apply` would touch, as git itself reads the patch. Applies nothing."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_PATIENCE_SECONDS = 60
_HEAD = b"diff --git "
_LEAVES = re.compile(rb"^(?:rename from|rename old) (.*)$", re.MULTILINE)
_LINK = re.compile(
    rb"^(?:(?:old|new|new file|deleted file) mode 120000|index [0-9a-f]+\.\.[0-9a-f]+ 120000)", re.MULTILINE
)
_ESCAPE = re.compile(rb"\\([abfnrtv\\\"]|[0-7]{3})")
_ESCAPED = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92, b'"': 34}


@dataclass(frozen=True)
class Touched:
    """A file that a patch adds, changes, renames or deletes. `is_binary`: its content is not in the patch as text."""

    name: str
    is_binary: bool = False
    is_link: bool = False


def touched(patch: bytes) -> tuple[Touched, ...] | None:
    """Each file once, a renamed one by both names; None where git cannot read the patch, and would not apply it."""
    listed = _numstat(patch)
    if listed is None:
        return None
    of_links = b"".join(part for part in _parts(patch) if _LINK.search(part))
    links = _numstat(of_links) if of_links else {}
    if links is None:
        return None
    left = {_decoded(_unquoted(name)) for name in _LEAVES.findall(patch)}
    left_as_links = {_decoded(_unquoted(name)) for name in _LEAVES.findall(of_links)}
    found = {name: Touched(name, is_binary, name in links) for name, is_binary in listed.items()}
    found |= {name: Touched(name, is_link=name in left_as_links) for name in sorted(left - found.keys())}
    return tuple(found.values())


def _parts(patch: bytes) -> list[bytes]:
    """The changes file by file. No line of one can look like a header: it begins with a sign."""
    starts = [at.start() for at in re.finditer(rb"^" + _HEAD, patch, re.MULTILINE)]
    return [patch[start:end] for start, end in pairwise([*starts, len(patch)])]


def _numstat(patch: bytes) -> dict[str, bool] | None:
    """Names that git finds in the patch, and whether each is binary; of a renamed file the new one."""
    shown = _git_apply(patch)
    if shown is None:
        return None
    rows = [row.split(b"\t", 2) for row in shown.split(b"\0") if row]
    return {_decoded(row[2]): row[0] == b"-" for row in rows if len(row) == 3}


def _git_apply(patch: bytes) -> bytes | None:
    """What git says of a patch in an empty folder, which lies in no repository: no settings and no files are read."""
    with tempfile.TemporaryDirectory(prefix="foldproof-patch-") as empty:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {
            "GIT_CEILING_DIRECTORIES": str(Path(empty).resolve().parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "LC_ALL": "C",
        }
        try:
            done = subprocess.run(
                ["git", "apply", "--numstat", "-z", "--whitespace=nowarn", "-"],
                cwd=empty,
                env=environment,
                input=patch,
                capture_output=True,
                timeout=_PATIENCE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return done.stdout if done.returncode == 0 else None


def _unquoted(name: bytes) -> bytes:
    """A name as git writes it in a header: as it is, or in quotes with escapes as in C."""
    if len(name) < 2 or not (name.startswith(b'"') and name.endswith(b'"')):
        return name
    return _ESCAPE.sub(lambda found: bytes([_ESCAPED.get(found[1]) or int(found[1], 8) & 255]), name[1:-1])


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
