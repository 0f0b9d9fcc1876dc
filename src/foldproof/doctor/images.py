"""Check that the images are versioned, unchanged and pushed, by hash."""

from collections.abc import Iterator
from typing import get_args

from foldproof.config.schema import DataSettings, FoldSource
from foldproof.data.labels.asked import asked_of
from foldproof.data.scan import scan
from foldproof.data.versions import dvc
from foldproof.data.versions.remote import unpushed
from foldproof.data.versions.unfinished import Kind, interrupted
from foldproof.data.versions.versioned import VersionDifference
from foldproof.data.walk import some
from foldproof.doctor.check import ProjectCheck, bad, ok
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.provenance.worktree import known_to_git


def check_images(project: Project, data: DataSettings, folds: FoldSource) -> Iterator[ProjectCheck]:
    """There, versioned, as versioned, and in the remote."""
    folder = project.path(data.path)
    if not folder.is_dir():
        yield bad("images", f"there is no {data.path}", "`foldproof data pull`, or fix data.path")
        return
    for what in get_args(Kind):
        if interrupted(folder, what):
            said = f"an earlier `data {what}` was cut off"
            yield bad("images", said, f"`foldproof data {what}` completes it")
            return
    try:
        rules = asked_of(data, folds, root=project.root, folder=folder).rules
        version = dvc.state_of(folder, scan(folder, rules=rules, cache_dirs=dvc.cache_folders(folder)))
    except FoldproofError as error:
        yield bad("images", error.what, error.next_step)
        return
    if version.state == "unversioned":
        said = "not versioned: once they change, no run on them can be repeated"
        yield bad("images", said, f"`foldproof data add {data.path}`")
        return
    if version.state != "clean":
        said = str(VersionDifference(version.changed, version.missing, version.extra)) or "not the versioned images"
        way = "`foldproof data add` versions them, `foldproof data pull` brings the versioned ones back"
        yield bad("images", f"not what is versioned: {said}", way)
        return
    yield ok("images", f"the {version.dvc_hash} that DVC recorded")
    yield _recorded(project, version.path)
    yield _pushed(project, data)


def _recorded(project: Project, path: str | None) -> ProjectCheck:
    if path and path.endswith(".dvc") and not known_to_git(project.root, path):
        return bad("record", f"{path} is not in git", f"`git add {path}` and commit")
    return ok("record", f"{path} is in git" if path else "DVC's record of the images is there")


def _pushed(project: Project, data: DataSettings) -> ProjectCheck:
    """By name and hash of every object: `dvc push` ends well although it had nothing to send."""
    try:
        lacking = unpushed(project.path(data.path))
    except FoldproofError as error:
        return bad("remote", error.what, error.next_step)
    if lacking is None:
        said = "no DVC remote: the images are only on this machine"
        return bad("remote", said, "`dvc remote add -d NAME URL`, then `dvc push`")
    if lacking:
        return bad("remote", f"{len(lacking):,} files are not in the remote: {some(lacking)}", "`dvc push`")
    return ok("remote", "every versioned file is in the remote")
