"""Refuse to write through a committed link, which somebody else may have made."""

import os
import shlex
from pathlib import Path

from foldproof.data.walk import NOT_VERSIONED
from foldproof.errors import DataError
from foldproof.provenance.committed_links import leading_out


def refuse_astray(root: Path, place: Path) -> None:
    """Raises DataError where writing at `place`, below the DVC repository `root`, would end up somewhere else.

    That is: behind a link that git tracks and that leads out of git's repository, or in the folders of git and DVC. A
    link that git does not track is the user's own.
    """
    refuse_committed_links(place)
    inner = Path(os.path.realpath(place))
    outer = Path(os.path.realpath(root))
    if inner.is_relative_to(outer) and any(part.casefold() in NOT_VERSIONED for part in inner.relative_to(outer).parts):
        raise DataError(f"{place} lies where git or DVC keep their own files", next_step="correct data.path")


def refuse_committed_links(place: Path) -> None:
    """Raises DataError where `place`, or a link on the way to it, is a link that git tracks and that leads out."""
    link = leading_out(place)
    if link is not None:
        raise DataError(
            f"{link} is a link that came with the repository and leads out of it, to {os.path.realpath(link)}",
            next_step=f"if it is yours: `git rm --cached {shlex.quote(os.path.relpath(link))}`, and name it in "
            "a .gitignore;\n  otherwise remove it",
        )
