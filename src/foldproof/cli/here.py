"""Find the project of the current folder and read its settings, with those that were typed over them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foldproof.errors import ProjectError

if TYPE_CHECKING:
    from foldproof.config.read import ProjectSettings
    from foldproof.project import Project


def project_around() -> "Project | None":
    """The project of the current folder; None without one."""
    from foldproof.project import Project

    try:
        return Project.find(Path.cwd())
    except ProjectError:
        return None


def project_here(overrides: Sequence[str] = ()) -> "tuple[Project, ProjectSettings]":
    """Raises ProjectError without a project around the current folder, SettingsError where its settings are wrong."""
    from foldproof.config.read import load_settings
    from foldproof.project import Project

    project = Project.find(Path.cwd())
    return project, load_settings(project.settings_file, overrides=overrides)
