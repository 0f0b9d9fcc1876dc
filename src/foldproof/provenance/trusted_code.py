"""Own code that this user has run in a project: commands that only read run no other. Kept in the user's own folder."""

import json
from contextlib import suppress
from pathlib import Path

from platformdirs import user_config_path

from foldproof.errors import UntrustedCode
from foldproof.registry import is_dotted_path
from foldproof.storage import own_folder, write_atomically

_MOST = 1000  # projects; the oldest go first


def accept(project: Path, name: str) -> None:
    """Remember that `name` of the project's own code has been run here, by `foldproof run` or by typing its name."""
    entry = [str(project.resolve()), name]
    if not is_dotted_path(name) or entry in (known := _known()):
        return
    file = _file()
    own_folder(file.parent)
    write_atomically(file, json.dumps([*known, entry][-_MOST:], ensure_ascii=False))


def refuse_unknown(project: Path, name: str) -> None:
    """Raises UntrustedCode where the settings name code of the project's own that this user has not run in it yet."""
    if is_dotted_path(name) and [str(project.resolve()), name] not in _known():
        raise UntrustedCode(
            f"compare.metric is code of this project, which you have not run here yet: {name}",
            next_step=f"look at it; `foldproof run`, or `--metric {name}` with compare, runs it",
        )


def _known() -> list[list[str]]:
    with suppress(OSError, ValueError):
        found = json.loads(_file().read_text(encoding="utf-8"))
        if isinstance(found, list):
            return [
                entry for entry in found if isinstance(entry, list) and all(isinstance(part, str) for part in entry)
            ]
    return []


def _file() -> Path:
    return user_config_path("foldproof") / "own-code.json"
