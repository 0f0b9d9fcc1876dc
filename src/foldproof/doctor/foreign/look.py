"""Look at a stranger's folder before anything in it is used. Start reading here."""

import os
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from foldproof.doctor.foreign.dvc import check_dvc
from foldproof.doctor.foreign.files import check_files
from foldproof.doctor.foreign.finding import Look, Suspect, ordered
from foldproof.doctor.foreign.git import check_git
from foldproof.doctor.foreign.settings import check_settings_files
from foldproof.doctor.foreign.tree import list_tree
from foldproof.errors import ProjectError
from foldproof.storage import cleaned, redact


def look_at(folder: Path) -> Look:
    """What of the folder would run, send or lead elsewhere if it were used. It need not be a project.

    Nothing in it is started, imported, connected to or changed, and no link is followed. Raises ProjectError where
    there is no such folder.
    """
    if not folder.is_dir():
        raise ProjectError(f"there is no folder {folder}", next_step="name the folder to look at, or change into it")
    tree = list_tree(folder)
    user = os.getuid() if hasattr(os, "getuid") else None
    findings = (
        *check_git(tree),
        *check_dvc(tree),
        *check_settings_files(tree),
        *check_files(tree, _installed(), user),
    )
    shown = map(_shown, findings)
    return Look(str(folder), tuple(ordered(shown)), tuple(cleaned(why, most=200) for why in tree.unseen))


@cache
def _installed() -> frozenset[str]:
    """Names of the modules that installed packages bring."""
    return frozenset(packages_distributions())


def _shown(finding: Suspect) -> Suspect:
    """Without secrets, and without what would move a terminal's cursor."""
    where, what = cleaned(finding.where, most=200), cleaned(redact(finding.what), most=200)
    return Suspect(finding.kind, where, what, finding.effect)
