"""Describe code, data, packages and machine of a run, as environment.json holds them."""

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

import foldproof
from foldproof.data.versions.versioned import DataVersion
from foldproof.errors import StorageError
from foldproof.project import Project
from foldproof.provenance import machine, packages, wheel
from foldproof.provenance.git import GitState
from foldproof.storage import redact, redact_arguments, redact_value

SCHEMA_VERSION = 1


def circumstances(
    project: Project, code: GitState | None, version: DataVersion, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Code, data, packages and machine, without secrets; the uncommitted diff stands in a file of its own.

    `tags` are what the user calls the run, for MLflow.
    A wheel of this foldproof is kept in the project.
    """
    return {
        "v": SCHEMA_VERSION,
        "foldproof": foldproof.__version__,
        "python": platform.python_version(),
        "command": redact_arguments(sys.argv),
        "settings": redact(project.settings_file.read_text(encoding="utf-8")),
        "git": _describe(code),
        "dvc_experiment": os.environ.get("DVC_EXP_NAME"),
        "data": version.to_json(),
        "packages": packages.installed(),
        "elsewhere": {name: redact(url) for name, url in packages.find_unindexed().items()},
        "foldproof_wheel": _kept_wheel(project),
        "machine": machine.describe(),
        **({"tags": {name: redact_value(name, text) for name, text in tags.items()}} if tags else {}),
    }


def _kept_wheel(project: Project) -> dict[str, str] | None:
    """Name and hash of the wheel of this foldproof; None if there is no room for it: no run fails for that."""
    made = wheel.own_wheel()
    try:
        made.keep(project.wheels)
    except (OSError, StorageError):
        return None
    return {"file": made.file, "sha256": made.sha256}


def _describe(code: GitState | None) -> dict[str, Any] | None:
    if code is None:
        return None
    diff_sha256 = hashlib.sha256(code.diff).hexdigest() if code.diff else None
    return {
        "commit": code.commit,
        "branch": code.branch,
        "dirty": code.dirty,
        "untracked": list(code.untracked),
        "diff_sha256": diff_sha256,
    }
