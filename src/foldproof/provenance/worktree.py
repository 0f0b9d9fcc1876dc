"""A commit of a repository in; its files in a folder of their own, outside the working copy, out."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_PATIENCE_SECONDS = 600
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_QUIETLY = ("-c", "core.hooksPath=" + os.devnull, "-c", "core.fsmonitor=false", "-c", "core.quotepath=false")


def has_commit(folder: Path, commit: str) -> bool:
    """Whether the repository that `folder` lies in has the commit."""
    return _git(folder, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def prefix(folder: Path) -> str:
    """Where `folder` lies in its repository; empty for the repository's own folder."""
    return _git(folder, "rev-parse", "--show-prefix").stdout.decode(errors="surrogateescape").strip("\n")


def check_out(folder: Path, commit: str, destination: Path) -> str:
    """Write the files of a commit to `destination`, which is not there yet; empty, or why git would not.

    No hook runs, and the working copy is not touched. `clear` takes the folder away.
    """
    done = _git(folder, "worktree", "add", "--detach", "--force", str(destination), commit)
    return "" if done.returncode == 0 else _reason(done)


def apply(folder: Path, diff: bytes) -> str:
    """Change the files in `folder`, a checkout, as `diff` says; empty, or why git would not."""
    done = _git(folder, "apply", "--whitespace=nowarn", "-", content=diff)
    return "" if done.returncode == 0 else _reason(done)


def clear(folder: Path, destination: Path) -> None:
    """Take a checkout away; files that git made read-only too."""
    _git(folder, "worktree", "remove", "--force", str(destination))
    shutil.rmtree(destination, ignore_errors=True)
    _git(folder, "worktree", "prune")


def known_files(folder: Path) -> tuple[str, ...] | None:
    """Files below `folder` that git knows or does not ignore, relative to it; None where git cannot tell."""
    done = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", ".")
    if done.returncode != 0:
        return None
    return tuple(name for name in done.stdout.decode(errors="surrogateescape").split("\0") if name)


def known_to_git(folder: Path, name: str) -> bool:
    """Whether git has the file `name` below `folder` in its index."""
    return _git(folder, "ls-files", "--error-unmatch", "--", name).returncode == 0


def tracks_as_link(folder: Path, name: str) -> bool:
    """Whether git has the entry `name` of `folder` in its index, as a symbolic link."""
    found = _git(folder, "--literal-pathspecs", "ls-files", "--stage", "-z", "--", name).stdout
    entries = (entry.partition(b"\t") for entry in found.split(b"\0"))
    return any(about.startswith(b"120000 ") and path == os.fsencode(name) for about, _, path in entries)


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"git ended with code {done.returncode}"


def _git(folder: Path, *arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    call: Sequence[str] = ["git", *_QUIETLY, *arguments]
    try:
        return subprocess.run(
            call,
            cwd=folder,
            env=environment,
            input=content,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(call, 127, b"", str(error).encode())
