"""The images of a project, checked against what was versioned: a data section in, a `Material` out."""

from dataclasses import dataclass
from pathlib import Path

from foldproof.config.schema import DataSettings
from foldproof.data import dvc, versioned
from foldproof.data.dataset import Dataset
from foldproof.data.scan import scan
from foldproof.data.versioned import DataVersion
from foldproof.events.types import Notice
from foldproof.project import Project


@dataclass(frozen=True)
class Material:
    """What is trained on, which version of it that is, and what a person should know of it.

    `path` is as the settings have it, `folder` where that is.
    """

    path: str
    folder: Path
    dataset: Dataset
    version: DataVersion
    notices: tuple[Notice, ...]


def gather(project: Project, data: DataSettings, *, allow_dirty: bool) -> Material:
    """Read and hash every image. Raises DataError where images are missing or not those that were versioned."""
    folder = project.path(data.path)
    found = scan(folder, group_by=data.group_by, cache_dirs=dvc.cache_folders(folder))
    version = dvc.state_of(folder, found)
    lines = versioned.check(version, allow_dirty=allow_dirty)
    notices = [Notice(code="data", text=line) for line in lines]
    if found.ignored:
        first = found.ignored[0]
        others = f" and {len(found.ignored) - 1} more" if len(found.ignored) > 1 else ""
        notices.append(Notice(code="ignored", text=f"ignored: {first.path} ({first.reason}){others}"))
    return Material(data.path, folder, found.dataset, version, tuple(notices))
