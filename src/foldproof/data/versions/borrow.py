"""Use the DVC remotes, credentials and cache of another checkout of the same repository."""

import shutil
from pathlib import Path
from typing import Any

from foldproof.data.versions.listing import outputs_of
from foldproof.data.versions.opening import opened
from foldproof.data.walk import some
from foldproof.errors import DataError

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


def forget_settings(root: Path) -> None:
    """Take away all that the DVC repository at `root`, a checkout, brought of its own: settings, caches, notes.

    Then no host, cache, credential or plugin is used that nobody lends it.
    """
    shutil.rmtree(root / ".dvc")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").touch()


def refuse_imports(folder: Path) -> None:
    """Raises DataError where what DVC knows of `folder` would be fetched from an address that stands in a `.dvc` file.

    What is versioned by itself comes from a remote, which the settings name.
    """
    with opened(folder, f"cannot find out what DVC recorded of {folder}") as repository:
        imported = [out.stage.path_in_repo for out in outputs_of(repository, folder) if out.stage.is_import]
    if imported:
        raise DataError(
            f"{some(imported)} would fetch them from an address that the record names",
            next_step="`foldproof data pull` brings what your own project names",
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None and key != "no_scm"}
    return value
