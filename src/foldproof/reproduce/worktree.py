"""Make a clean folder in which a recorded run is trained, with the code that it needs.

The user's working copy is read at most. The folder lies in the project, where there is room and git looks
away, and goes with the block; what a killed process left is swept away by the next.
"""

import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.provenance import worktree
from foldproof.reproduce.errors import CannotCheck
from foldproof.reproduce.recorded import Recorded
from foldproof.storage import Commit, RelativePath, is_held, leads_astray, locked

_HEAD = "reproduce-"
_PLACE = re.compile(f"{_HEAD}[0-9a-f]{{12}}")
_LOCK = "held.lock"
_WRITTEN = ("runs", ".foldproof", "mlartifacts")  # folders of a project that a run writes to
_MOST_FILE_BYTES = 64 * 2**20  # of the working copy; code is smaller


@contextmanager
def open_worktree(project: Project | None) -> Iterator[Path]:
    """An empty folder that goes with the block, and is nobody else's."""
    home = _home(project)
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


def place_recorded_code(place: Path, project: Project | None, recorded: Recorded, *, is_foreign: bool) -> Path:
    """A folder with the files of the recorded commit and the recorded changes, where the run needs code of the user's.

    Else an empty one: nothing of a commit is where modules are looked for. Call it once `refuse_untrusted` has not
    objected. Raises CannotCheck where the run needs code that cannot be had.
    """
    root = place / "code"
    if not recorded.own_code:
        root.mkdir()
        return root
    commit = commit_here(project, recorded, is_foreign=is_foreign)
    if project is None or commit is None:
        raise _lacks_code(recorded, project)
    failed = worktree.check_out(project.root, commit, root)
    if not failed and not recorded.has_whole_diff:
        failed = "the recorded changes had secrets in them, which were left out"
    if not failed and recorded.code_diff:
        failed = worktree.apply(root, recorded.code_diff)
    if failed:
        raise CannotCheck(
            f"the code of the run cannot be restored: {failed}", needed="a clone whose commit has all of that code"
        )
    return _made_for_a_run(root, worktree.prefix(project.root))


def commit_here(project: Project | None, recorded: Recorded, *, is_foreign: bool) -> Commit | None:
    """The recorded commit, where the project's repository has it; for a foreign record only one that a ref reaches.

    A fetched pull request, which nobody has looked at yet, is not reached. One's own run may be of a commit that has
    since been amended.
    """
    commit = recorded.commit
    if project is None or commit is None:
        return None
    is_here = worktree.is_reachable if is_foreign else worktree.has_commit
    return commit if is_here(project.root, commit) else None


def place_recorded_versions(place: Path, project: Project, commit: Commit) -> Path:
    """The files of the recorded commit, for DVC to read what it knows of images; no module is looked for there.

    Raises DataError where git does not have them.
    """
    root = place / "versions"
    if failed := worktree.check_out(project.root, commit, root):
        raise DataError(f"commit {commit[:12]} cannot be checked out: {failed}", next_step="fetch it: `git fetch`")
    return root


def place_current_code(place: Path, project: Project) -> Path:
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
    return root


def _lacks_code(recorded: Recorded, project: Project | None) -> CannotCheck:
    code = ", ".join(recorded.own_code)
    if recorded.environment.get("anonymous") is True:
        return CannotCheck(
            f"the run needs {code}, and an anonymous bundle does not say of which commit",
            needed="a bundle made without --anonymous, or `--as-is`, which trains with the code that is here now",
        )
    if recorded.commit is None:
        return CannotCheck(
            f"the run needs {code}, and it was made without git: its code is unknown",
            needed="`--as-is`, which trains with the code that is here now",
        )
    where = "this repository does not have" if project else "there is no project here that has"
    return CannotCheck(
        f"the run needs {code} of commit {recorded.commit[:12]}, which {where}",
        needed="a clone with that commit (`git fetch`), from inside which to reproduce",
    )


def _made_for_a_run(root: Path, prefix: str) -> Path:
    """The project's folder in a checkout, where a run can be written; links that would lead it elsewhere are removed.

    Raises CannotCheck where the folder itself is reached through a link.
    """
    if not prefix.strip("/"):
        inner = root
    else:
        name = RelativePath.parse(prefix)
        if leads_astray(root, name) is not None:
            raise CannotCheck(f"{prefix} is a link at the recorded commit", needed="a commit where it is a folder")
        inner = name.below(root)
        inner.mkdir(parents=True, exist_ok=True)
    for name_of_ours in _WRITTEN:
        if (inner / name_of_ours).is_symlink():
            (inner / name_of_ours).unlink()
    return inner


def _home(project: Project | None) -> Path:
    """The project's own folder for such things, but where it is a link that came with the repository."""
    if project is None:
        return Path(tempfile.gettempdir())
    home = project.root / ".foldproof"
    astray = home.is_symlink() and worktree.known_to_git(project.root, home.name)
    return Path(tempfile.gettempdir()) if astray else home


def _sweep(project: Project, home: Path) -> None:
    """Clear what killed processes left: folders of our own making, never one that a link or a commit put there."""
    if home != project.root / ".foldproof":
        return
    for place in home.iterdir():
        if _is_left_over(place) and not worktree.known_to_git(project.root, f"{home.name}/{place.name}"):
            _clear(project, place)


def _is_left_over(place: Path) -> bool:
    with suppress(OSError):
        is_ours = _PLACE.fullmatch(place.name) is not None and stat.S_ISDIR(place.lstat().st_mode)
        lock = place / _LOCK
        return is_ours and stat.S_ISREG(lock.lstat().st_mode) and not is_held(lock)
    return False


def _clear(project: Project | None, place: Path) -> None:
    if project:
        for name in ("code", "versions"):
            worktree.clear(project.root, place / name)
    shutil.rmtree(place, ignore_errors=True)
