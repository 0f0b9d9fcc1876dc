"""Find links that a repository brings, which somebody else may have made to lead anywhere."""

import os
from pathlib import Path

from foldproof.provenance.worktree import tracks_as_link


def leading_out(place: Path) -> Path | None:
    """The first link on the way to `place`, itself included, that git tracks and that leads out of its repository.

    A link that git does not track is the user's own, and may lead to another disk.
    """
    absolute = Path(os.path.normpath(place.absolute()))
    links = (step for step in (*reversed(absolute.parents), absolute) if step.is_symlink())
    return next((link for link in links if not _stays(link) and tracks_as_link(link.parent, link.name)), None)


def _stays(link: Path) -> bool:
    """Whether a link leads to a place in the git repository that it lies in; where there is none, it is no clone's."""
    top = next((folder for folder in link.parents if os.path.lexists(folder / ".git")), None)
    if top is None:
        return True
    target, inside = Path(os.path.realpath(link)), Path(os.path.realpath(top))
    return target.is_relative_to(inside) and ".git" not in target.relative_to(inside).parts
