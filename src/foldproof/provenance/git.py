"""Read the state of the code: commit, branch, dirty flag and diff."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof.provenance.git_command import filters_left_out, git
from foldproof.storage import Commit, cleaned

MOST_UNTRACKED = 100
LARGE_DIFF = 16 * 2**20  # bytes; beyond that, changed binary files are only named

_NO_DRIVERS = ("--no-color", "--no-ext-diff", "--no-textconv")


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
    status = git(folder, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", *where)
    if not status.is_yes:
        return None
    lines = status.out.decode(errors="replace").split("\0")
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
    answer = git(folder, "rev-parse", "--verify", "HEAD")
    if "dubious ownership" in answer.said:
        return "git refuses a folder that belongs to somebody else: `git config --global --add safe.directory DIR`"
    if "not a git repository" in answer.said:
        return "no git repository: `git init`"
    if answer.code is None or "single revision" not in answer.said:
        return cleaned(answer.reason, most=200)
    return "nothing is committed yet: `git commit`"


def changed_files(folder: Path, one: Commit, other: Commit) -> tuple[str, ...] | None:
    """`model.py (+3 -1)` for each file that differs between two commits; None where one is not in the repository."""
    answer = git(folder, "diff", *_NO_DRIVERS, "--no-renames", "--numstat", "-z", "--end-of-options", one, other, "--")
    if not answer.is_yes:
        return None
    rows = [line.split("\t", 2) for line in answer.out.decode(errors="replace").split("\0") if line.count("\t") >= 2]
    return tuple(f"{name} (+{added} -{removed})" for added, removed, name in rows)


def stage(folder: Path, files: Sequence[Path]) -> bool:
    """`git add` the files; False where git would not, or would need a filter that does not run."""
    left_out = filters_left_out(folder)
    if left_out is None or (left_out and _filters_of(folder, files) & set(left_out)):
        return False
    return git(folder, "add", "--", *(str(file) for file in files)).is_yes


def _filters_of(folder: Path, files: Sequence[Path]) -> set[str]:
    """What the attributes of the files name as their filter."""
    answer = git(folder, "check-attr", "-z", "filter", "--", *(str(file) for file in files))
    return set(answer.out.decode(errors="surrogateescape").split("\0")[2::3])


def _diff(folder: Path, where: tuple[str, ...]) -> bytes:
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/", "--no-relative")
    call = ("diff", *_NO_DRIVERS, "--full-index", *prefixes)
    complete = git(folder, *call, "--binary", "HEAD", *where)
    if not complete.is_yes or len(complete.out) <= LARGE_DIFF:
        return complete.out if complete.is_yes else b""
    named = git(folder, *call, "HEAD", *where)
    return named.out if named.is_yes else b""
