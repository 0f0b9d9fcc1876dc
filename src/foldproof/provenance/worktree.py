"""Check out a commit into a folder of its own, outside the working copy."""

import os
import shutil
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.provenance.git_command import Answer, git
from foldproof.storage import Commit

_PATIENCE_SECONDS = 600.0
_REFS = ("refs/heads", "refs/remotes", "refs/tags")


def has_commit(folder: Path, commit: str) -> bool:
    """Whether the repository that `folder` lies in has the commit, here and now: nothing is fetched."""
    known = _commit(commit)
    return known is not None and git(folder, "cat-file", "-e", f"{known}^{{commit}}").is_yes


def is_reachable(folder: Path, commit: str) -> bool:
    """Whether a branch, a remote's branch, a tag or HEAD leads to the commit: somebody put it into the repository.

    What was only fetched, such as a pull request to look at, does not count.
    """
    known = _commit(commit)
    if known is None or not has_commit(folder, known):
        return False
    if git(folder, "merge-base", "--is-ancestor", known, "HEAD", patience=_PATIENCE_SECONDS).is_yes:
        return True
    asked = ("for-each-ref", "--count=1", "--format=%(refname)", f"--contains={known}", *_REFS)
    found = git(folder, *asked, patience=_PATIENCE_SECONDS)
    return found.is_yes and bool(found.out.strip())


def prefix(folder: Path) -> str:
    """Where `folder` lies in its repository; empty for the repository's own folder."""
    return os.fsdecode(git(folder, "rev-parse", "--show-prefix").out).strip("\n")


def check_out(folder: Path, commit: str, destination: Path) -> str:
    """Write the files of a commit to `destination`, which is not there yet; empty, or why git would not.

    Nothing that the repository names runs, and the working copy is not touched. `clear` takes the folder away.
    """
    known = _commit(commit)
    if known is None:
        return "what the record calls a commit is none"
    if _leads_elsewhere(folder):
        return "the repository keeps its worktrees behind a link"
    added = _git(folder, "worktree", "add", "--detach", "--force", "--no-checkout", str(destination), known)
    if not added.is_yes:
        return _reason(added)
    # Its files are written by a git that was started there: settings may hold only for that folder.
    written = _git(destination, "reset", "--hard", "--quiet", "--no-recurse-submodules")
    return "" if written.is_yes else _reason(written)


def apply(folder: Path, diff: bytes) -> str:
    """Change the files in `folder`, a checkout, as `diff` says; empty, or why git would not."""
    done = git(folder, "apply", "--whitespace=nowarn", "-", content=diff, patience=_PATIENCE_SECONDS)
    return "" if done.is_yes else _reason(done)


def clear(folder: Path, destination: Path) -> None:
    """Take a checkout away; files that git made read-only too."""
    leads_elsewhere = _leads_elsewhere(folder)
    if not leads_elsewhere:
        _git(folder, "worktree", "remove", "--force", str(destination))
    shutil.rmtree(destination, ignore_errors=True)
    if not leads_elsewhere:
        _git(folder, "worktree", "prune")


def known_files(folder: Path) -> tuple[str, ...] | None:
    """Files below `folder` that git knows or does not ignore, relative to it; None where git cannot tell."""
    done = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", ".")
    if not done.is_yes:
        return None
    return tuple(name for name in os.fsdecode(done.out).split("\0") if name)


def main_checkout(folder: Path) -> Path | None:
    """The same folder in the repository's main checkout, where `folder` lies in another worktree of it."""
    for root in (folder, *folder.parents):
        if (root / ".git").is_file():
            said = (root / ".git").read_text(encoding="utf-8", errors="replace").strip().removeprefix("gitdir:").strip()
            place = Path(root, said)
            if place.parent.name == "worktrees" and place.parent.parent.name == ".git":
                return place.parents[2] / folder.relative_to(root)
            return None
    return None


def known_to_git(folder: Path, name: str) -> bool:
    """Whether git has the file `name` below `folder` in its index."""
    return _git(folder, "ls-files", "--error-unmatch", "--", name).is_yes


def tracks_as_link(folder: Path, name: str) -> bool:
    """Whether git has the entry `name` of `folder` in its index, as a symbolic link.

    So it is taken to be where git does not answer, as for want of git or in a folder that poses as a repository.
    """
    answer = _git(folder, "--literal-pathspecs", "ls-files", "--stage", "-z", "--", name)
    if not answer.is_yes:
        return True
    found = answer.out
    entries = (entry.partition(b"\t") for entry in found.split(b"\0"))
    return any(about.startswith(b"120000 ") and path == os.fsencode(name) for about, _, path in entries)


def _commit(text: str) -> Commit | None:
    try:
        return Commit.parse(text)
    except DamagedFile:
        return None


def _leads_elsewhere(folder: Path) -> bool:
    """Whether git's list of worktrees, or one in it, is a link: `worktree prune` would empty what it leads to."""
    common = git(folder, "rev-parse", "--git-common-dir")
    if not common.is_yes:
        return False
    listed = folder / os.fsdecode(common.out).rstrip("\n") / "worktrees"
    return listed.is_symlink() or (listed.is_dir() and any(one.is_symlink() for one in listed.iterdir()))


def _reason(answer: Answer) -> str:
    if "promisor" in answer.said:
        return (
            "this clone lacks some of its files, and nothing is fetched unasked: `git fetch --refetch` brings them all"
        )
    return answer.reason


def _git(folder: Path, *arguments: str) -> Answer:
    return git(folder, *arguments, patience=_PATIENCE_SECONDS)
