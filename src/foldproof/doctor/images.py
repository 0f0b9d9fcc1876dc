"""The images of a project in: whether they are versioned, unchanged and pushed, by hash, out."""

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
from foldproof.doctor.check import Check
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.provenance.worktree import known_to_git


def of_images(project: Project, data: DataSettings, folds: FoldSource) -> Iterator[Check]:
    """There, versioned, as versioned, and in the remote."""
    folder = project.path(data.path)
    if not folder.is_dir():
        yield Check("images", "bad", f"there is no {data.path}", "`foldproof data pull`, or mend data.path")
        return
    for what in get_args(Kind):
        if interrupted(folder, what):
            said = f"an earlier `data {what}` was cut off"
            yield Check("images", "bad", said, f"`foldproof data {what}` completes it")
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
        yield Check("images", "bad", error.what, error.next_step)
        return
    if version.state == "unversioned":
        yield Check(
            "images",
            "bad",
            "not versioned: once they change, no run on them can be repeated",
            f"`foldproof data add {data.path}`",
        )
        return
    if version.state != "clean":
        said = str(VersionDifference(version.changed, version.missing, version.extra)) or "not the versioned images"
        yield Check(
            "images",
            "bad",
            f"not what is versioned: {said}",
            "`foldproof data add` versions them, `foldproof data pull` brings the versioned ones back",
        )
        return
    yield Check("images", "ok", f"the {version.dvc_hash} that DVC recorded")
    yield _recorded(project, version.path)
    yield _pushed(project, data)


def _recorded(project: Project, path: str | None) -> Check:
    if path and path.endswith(".dvc") and not known_to_git(project.root, path):
        return Check("record", "bad", f"{path} is not in git", f"`git add {path}` and commit")
    return Check("record", "ok", f"{path} is in git" if path else "DVC's record of the images is there")


def _pushed(project: Project, data: DataSettings) -> Check:
    """By name and hash of every object: `dvc push` ends well although it had nothing to send."""
    try:
        lacking = unpushed(project.path(data.path))
    except FoldproofError as error:
        return Check("remote", "bad", error.what, error.next_step)
    if lacking is None:
        return Check(
            "remote",
            "bad",
            "no DVC remote: the images are on this machine alone",
            "`dvc remote add -d NAME URL`, then `dvc push`",
        )
    if lacking:
        return Check("remote", "bad", f"{len(lacking):,} files are not in the remote: {some(lacking)}", "`dvc push`")
    return Check("remote", "ok", "every versioned file is in the remote")
