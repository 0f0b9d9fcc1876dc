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
from foldproof.doctor.check import ProjectCheck
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.provenance.worktree import known_to_git


def of_images(project: Project, data: DataSettings, folds: FoldSource) -> Iterator[ProjectCheck]:
    """There, versioned, as versioned, and in the remote."""
    folder = project.path(data.path)
    if not folder.is_dir():
        yield ProjectCheck("images", "bad", f"there is no {data.path}", "`foldproof data pull`, or fix data.path")
        return
    for what in get_args(Kind):
        if interrupted(folder, what):
            said = f"an earlier `data {what}` was cut off"
            yield ProjectCheck("images", "bad", said, f"`foldproof data {what}` completes it")
            return
    try:
        version = dvc.state_of(
            folder,
            scan(
                folder,
                rules=asked_of(data, folds, root=project.root, folder=folder).rules,
                cache_dirs=dvc.cache_folders(folder),
            ),
        )
    except FoldproofError as error:
        yield ProjectCheck("images", "bad", error.what, error.next_step)
        return
    if version.state == "unversioned":
        yield ProjectCheck(
            "images",
            "bad",
            "not versioned: once they change, no run on them can be repeated",
            f"`foldproof data add {data.path}`",
        )
        return
    if version.state != "clean":
        said = str(VersionDifference(version.changed, version.missing, version.extra)) or "not the versioned images"
        yield ProjectCheck(
            "images",
            "bad",
            f"not what is versioned: {said}",
            "`foldproof data add` versions them, `foldproof data pull` brings the versioned ones back",
        )
        return
    yield ProjectCheck("images", "ok", f"the {version.dvc_hash} that DVC recorded")
    yield _recorded(project, version.path)
    yield _pushed(project, data)


def _recorded(project: Project, path: str | None) -> ProjectCheck:
    if path and path.endswith(".dvc") and not known_to_git(project.root, path):
        return ProjectCheck("record", "bad", f"{path} is not in git", f"`git add {path}` and commit")
    return ProjectCheck("record", "ok", f"{path} is in git" if path else "DVC's record of the images is there")


def _pushed(project: Project, data: DataSettings) -> ProjectCheck:
    """By name and hash of every object: `dvc push` ends well although it had nothing to send."""
    try:
        lacking = unpushed(project.path(data.path))
    except FoldproofError as error:
        return ProjectCheck("remote", "bad", error.what, error.next_step)
    if lacking is None:
        return ProjectCheck(
            "remote",
            "bad",
            "no DVC remote: the images are only on this machine",
            "`dvc remote add -d NAME URL`, then `dvc push`",
        )
    if lacking:
        return ProjectCheck(
            "remote", "bad", f"{len(lacking):,} files are not in the remote: {some(lacking)}", "`dvc push`"
        )
    return ProjectCheck("remote", "ok", "every versioned file is in the remote")
