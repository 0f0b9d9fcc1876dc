"""A clean folder to train a recorded run in: a project and a commit in; the code of then, and nothing else, out.

The user's working copy is read at most. The folder lies in the project, where there is room and git looks
away, and goes with the block; what a killed process left is swept away by the next.
"""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foldproof.project import Project
from foldproof.provenance import worktree
from foldproof.reproduce.cannot import CannotCheck
from foldproof.reproduce.recorded import Recorded
from foldproof.storage import is_held, locked

_HEAD = "reproduce-"
_LOCK = "held.lock"
_MOST_FILE_BYTES = 64 * 2**20  # of the working copy; code is smaller


@dataclass(frozen=True)
class Workshop:
    """`root` is the project's folder in there; `is_checkout` says whether it holds the files of a commit."""

    root: Path
    is_checkout: bool


@contextmanager
def workshop(project: Project | None) -> Iterator[Path]:
    """An empty folder that goes with the block, and is nobody else's."""
    home = project.root / ".foldproof" if project else Path(tempfile.gettempdir())
    home.mkdir(parents=True, exist_ok=True)
    if project:
        _sweep(project, home)
    place = home / f"{_HEAD}{secrets.token_hex(6)}"
    place.mkdir(mode=0o700)
    with locked(place / _LOCK, what=str(place)):
        try:
            yield place
        finally:
            _clear(project, place)


def with_recorded_code(place: Path, project: Project | None, recorded: Recorded, *, trusted: bool) -> Workshop:
    """The files of the recorded commit with the recorded changes, where the run needs code of the user's or git has it.

    `trusted`: whether changes that the record brings along may be made to code. Raises CannotCheck where the run needs
    code that cannot be had.
    """
    root = place / "code"
    commit, needed = recorded.commit, bool(recorded.own_code)
    if project is None or commit is None or not worktree.has_commit(project.root, commit):
        if needed:
            raise _lacks_code(recorded, project)
        root.mkdir()
        return Workshop(root, is_checkout=False)
    failed = worktree.check_out(project.root, commit, root)
    inner = root / worktree.prefix(project.root)
    if not failed and recorded.code_diff and trusted:
        if needed and not recorded.has_whole_diff:
            failed = "the recorded changes had secrets in them, which were left out"
        failed = failed or worktree.apply(root, recorded.code_diff)
    if failed and needed:
        raise CannotCheck(
            f"the code of the run cannot be restored: {failed}", needed="a clone whose commit has all of that code"
        )
    if failed:
        worktree.clear(project.root, root)
        root.mkdir()
        return Workshop(root, is_checkout=False)
    inner.mkdir(parents=True, exist_ok=True)
    return Workshop(inner, is_checkout=True)


def with_code_as_it_is(place: Path, project: Project) -> Workshop:
    """A copy of the files that git knows or does not ignore, as they are now; without git, of all modules."""
    root = place / "code"
    root.mkdir()
    names = worktree.known_files(project.root)
    if names is None:
        names = tuple(path.relative_to(project.root).as_posix() for path in project.root.rglob("*.py"))
    for name in names:
        source, target = project.root / name, root / name
        if name.startswith((".foldproof/", "runs/")) or not source.is_file() or source.is_symlink():
            continue
        if source.stat().st_size <= _MOST_FILE_BYTES:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return Workshop(root, is_checkout=False)


def _lacks_code(recorded: Recorded, project: Project | None) -> CannotCheck:
    code = ", ".join(recorded.own_code)
    if recorded.environment.get("anonymous") is True:
        return CannotCheck(
            f"the run needs {code}, and an anonymous bundle does not say of which commit",
            needed="a bundle made without --anonymous, or `--as-is`, which trains with the code that is here now",
        )
    if recorded.commit is None:
        return CannotCheck(
            f"the run needs {code}, and it was made without git: nobody knows which code that was",
            needed="`--as-is`, which trains with the code that is here now",
        )
    where = "this repository does not have" if project else "there is no project here that has"
    return CannotCheck(
        f"the run needs {code} of commit {recorded.commit[:12]}, which {where}",
        needed="a clone with that commit (`git fetch`), from inside which to reproduce",
    )


def _sweep(project: Project, home: Path) -> None:
    for place in home.glob(f"{_HEAD}*"):
        if not is_held(place / _LOCK):
            _clear(project, place)


def _clear(project: Project | None, place: Path) -> None:
    if project:
        worktree.clear(project.root, place / "code")
    shutil.rmtree(place, ignore_errors=True)
