"""Check the remote of an output before contacting it, so that nothing waits for input or runs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foldproof.data.versions.asking import CREDENTIAL_FILES, refuse_commands, refuse_prompts, settings_of
from foldproof.data.versions.gdrive import refuse_dvcs_own_app
from foldproof.errors import DataError
from foldproof.provenance.worktree import known_to_git
from foldproof.storage import redact

_MOST_CREDENTIALS = 2**20


def remote_of(repository: Any, outputs: Sequence[Any]) -> str | None:
    """Name and URL of the remote that the outputs come from, without secrets; None where none is set."""
    name = name_of_remote(repository, outputs)
    url = repository.config["remote"].get(name, {}).get("url", "it has no URL")
    return redact(f"'{name}' ({url})") if name else None


def refuse_unreachable(repository: Any, outputs: Sequence[Any]) -> None:
    """Raises DataError where asking the outputs' remote would wait for something that cannot come, or run a command.

    Commands are refused where .dvc/config names them, or a file that git tracks: that came with the repository.
    """
    refuse_names(repository, {name_of_remote(repository, outputs)})


def refuse_names(repository: Any, names: set[str | None]) -> None:
    """Raises DataError where reaching one of these remotes would prompt, or run a command that a repository names."""
    committed = repository.config.load_one("repo").get("remote", {})
    for name in filter(None, names):
        settings = settings_of(repository.config["remote"], name)
        refuse_dvcs_own_app(settings, os.environ)
        refuse_prompts(name, settings)
        refuse_commands(name, settings, settings_of(committed, name))
        for key in CREDENTIAL_FILES:
            if settings.get(key) and _runs_a_command(repository, Path(settings[key])):
                raise DataError(
                    f"{settings[key]} came with the repository and names a command that would be run: "
                    "credential_process",
                    next_step=f"look at it; if it is yours, keep it elsewhere and name it in .dvc/config.local: {key}",
                )


def _runs_a_command(repository: Any, file: Path) -> bool:
    root = Path(repository.root_dir)
    file = root / ".dvc" / file  # an absolute path stays as it is
    if not file.is_file() or not known_to_git(file.parent, file.name):
        return False
    with file.open("rb") as opened_file:
        content = opened_file.read(_MOST_CREDENTIALS + 1)
    return b"credential_process" in content or len(content) > _MOST_CREDENTIALS


def name_of_remote(repository: Any, outputs: Sequence[Any]) -> str | None:
    own = next((output.remote for output in outputs if output.remote), None)
    name = own or repository.config["core"].get("remote")
    return str(name) if name else None
