"""A checkout in; its DVC remotes, credentials and cache in use by another checkout of the same repository, out."""

from pathlib import Path
from typing import Any

from foldproof.data.versions.opening import opened

_SHARED = ("remote", "core", "cache")


def borrow_settings(lender: Path, borrower: Path) -> None:
    """Let the repository at `borrower` reach what the one at `lender` reaches, by its git-ignored settings file.

    All that `lender` has set counts, wherever it is set: paths of remotes and credentials become absolute, and the
    cache is the same. Raises DataError.
    """
    with opened(lender, "cannot read DVC's settings") as repository:
        cache = str(repository.cache.local.path)
        lent = {name: repository.config[name] for name in _SHARED if name in repository.config}
        settings = {name: _plain(value) for name, value in lent.items()}
    with opened(borrower, "cannot lend DVC's settings") as repository, repository.config.edit("local") as own:
        for name, values in settings.items():
            own[name] = {**own.get(name, {}), **values}
        own["cache"] = {**own.get("cache", {}), "dir": str(Path(cache).resolve())}
    for file in (borrower / ".dvc").glob("config.local"):
        file.chmod(0o600)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None and key != "no_scm"}
    return value
