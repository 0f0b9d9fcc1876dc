"""The state of the code: a folder in, commit, branch, dirty flag and diff out."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 20
MOST_UNTRACKED = 100
LARGE_DIFF = 16 * 2**20  # bytes; beyond that, changed binary files are only named

_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")  # a hook that calls us sets them
_QUIETLY = ("-c", "core.fsmonitor=false", "-c", "core.quotepath=false")


@dataclass(frozen=True, kw_only=True)
class GitState:
    """The code a run was made with. `diff` is what `git apply` takes to the commit; untracked files are only named.

    `dirty`: there are changes, or files that git neither knows nor ignores. `branch` is empty where HEAD is detached.
    """

    commit: str
    branch: str
    dirty: bool
    untracked: tuple[str, ...]
    diff: bytes


def git_state(folder: Path, *, apart_from: tuple[str, ...] = ()) -> GitState | None:
    """The state of the repository that `folder` lies in; None where it cannot be told: `absence` then says why.

    A repository without a commit counts as none, since there is nothing to go back to. `apart_from`: paths below
    `folder` that make nothing dirty, since a run writes and records them itself.
    """
    where = ("--", ":/", *(f":(exclude){name}" for name in apart_from))
    status = _git(folder, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", *where)
    if status is None:
        return None
    lines = status.decode(errors="replace").split("\0")
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    if head["branch.oid"] == "(initial)":
        return None
    untracked = tuple(line[2:] for line in lines if line.startswith("? "))
    changed = any(line[:2] in ("1 ", "2 ", "u ") for line in lines)
    return GitState(
        commit=head["branch.oid"],
        branch="" if head["branch.head"] == "(detached)" else head["branch.head"],
        dirty=changed or bool(untracked),
        untracked=untracked[:MOST_UNTRACKED],
        diff=_diff(folder, where) if changed else b"",
    )


def absence(folder: Path) -> str:
    """Why `git_state` is None, in a few words and with what can be done."""
    if not shutil.which("git"):
        return "git is not installed"
    done = _call(folder, "rev-parse", "--verify", "HEAD")
    if done is None:
        return f"git did not answer within {PATIENCE_SECONDS} seconds"
    said = done.stderr.decode(errors="replace")
    if "dubious ownership" in said:
        return "git refuses a folder that belongs to somebody else: `git config --global --add safe.directory DIR`"
    return (
        "no git repository: `git init`" if "not a git repository" in said else "nothing is committed yet: `git commit`"
    )


def changed_files(folder: Path, one: str, other: str) -> tuple[str, ...] | None:
    """`model.py (+3 -1)` for each file that differs between two commits; None where one is not in the repository."""
    found = _git(folder, "diff", "--no-color", "--no-ext-diff", "--no-renames", "--numstat", "-z", one, other, "--")
    if found is None:
        return None
    rows = [line.split("\t", 2) for line in found.decode(errors="replace").split("\0") if line.count("\t") >= 2]
    return tuple(f"{name} (+{added} -{removed})" for added, removed, name in rows)


def stage(folder: Path, files: Sequence[Path]) -> bool:
    """`git add` the files; False where git would not."""
    return _git(folder, "add", "--", *(str(file) for file in files)) is not None


def is_committed_link(path: Path) -> bool:
    """Whether `path` is a link that the repository brings, rather than one that the user has put there."""
    if not path.is_symlink():
        return False
    listed = _git(path.parent, "ls-files", "--stage", "-z", "--", f":(literal){path.name}")
    return listed is not None and listed.startswith(b"120000 ")


def _diff(folder: Path, where: tuple[str, ...]) -> bytes:
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/", "--no-relative")
    call = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index", *prefixes)
    complete = _git(folder, *call, "--binary", "HEAD", *where) or b""
    return complete if len(complete) <= LARGE_DIFF else _git(folder, *call, "HEAD", *where) or b""


def _git(folder: Path, *arguments: str) -> bytes | None:
    done = _call(folder, *arguments)
    return done.stdout if done is not None and done.returncode == 0 else None


def _call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", *_QUIETLY, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
