"""Open the DVC repository around a folder so that nothing that came with it runs, waits or writes elsewhere.

Only this module and `dvc.py` import dvc.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from foldproof.data.versions import guard
from foldproof.data.versions.reasons import reason, way_on
from foldproof.data.versions.site_cache import set_site_cache
from foldproof.data.versions.unfinished import root_of
from foldproof.errors import DamagedFile, DataError, FoldproofError
from foldproof.storage import Md5

_LOGGERS = ("dvc", "dvc_data", "dvc_objects")


@contextmanager
def opened(folder: Path, what: str) -> Iterator[Any]:
    """The repository that `folder` lies in; whatever DVC raises in the block becomes a DataError that begins `what`."""
    root = root_of(folder)
    if root is None:
        raise DataError(f"{what}: it is in no DVC repository", next_step="make one with `foldproof init`")
    guard.refuse_strange_home(root)
    with told(what):
        from dvc.repo import Repo

        with closing(Repo(str(root), fs=_guarded_files()())) as repository:
            if "dir" in repository.config.load_one("repo").get("cache", {}) and not _is_own_choice(repository):
                guard.refuse_strange_cache(root, Path(repository.cache.legacy.path))
            for objects in (repository.cache.local, repository.cache.legacy):
                objects.oid_to_path = _of_hashes_alone(objects.oid_to_path)
            yield repository


@contextmanager
def holding(repository: Any) -> Iterator[None]:
    """Keep every other DVC process out of the repository for the block. Raises DataError where one is at work."""
    from dvc.lock import LockError
    from dvc.repo import lock_repo

    with ExitStack() as stack:
        try:
            stack.enter_context(lock_repo(repository))
        except LockError:
            raise DataError(
                f"another DVC process is at work in {repository.root_dir}",
                next_step="wait for it to end, then try again",
            ) from None
        yield


@contextmanager
def told(what: str) -> Iterator[None]:
    """DVC without its voice: no telemetry, log lines or warnings; its errors as DataError; its index where it is safe.

    A remote is reached through whatever library DVC loads for it, so any kind of exception can come out. The one place
    that takes them all, and keeps the reason.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    set_site_cache()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dvc.repo  # noqa: F401  (its loggers are set up by the import: they are silenced after it)

        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        try:
            for name in levels:
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            yield
        except FoldproofError:
            raise
        except Exception as error:
            raise DataError(f"{what}: {reason(error)}", next_step=way_on(error)) from error
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _is_own_choice(repository: Any) -> bool:
    """Whether the user has said where the cache is, by .dvc/config.local."""
    return "dir" in repository.config.load_one("local").get("cache", {})


@cache
def _guarded_files() -> Any:
    """DVC's way to local files, with a look at each before it is read."""
    from dvc.fs import LocalFileSystem

    class GuardedFiles(LocalFileSystem):  # type: ignore[misc]
        def open(self, path: Any, mode: str = "r", **options: Any) -> Any:
            if "r" in mode:
                guard.refuse_unreadable(Path(path))
            return super().open(path, mode, **options)

        def walk(self, path: Any, **options: Any) -> Iterator[Any]:
            for folder, folders, files in super().walk(path, **options):
                guard.refuse_strange(folder, folders, files)
                yield folder, folders, files

    return GuardedFiles


def _of_hashes_alone(to_path: Callable[[str], str]) -> Callable[[str], str]:
    """DVC's way from a hash to an object's path, for what is a hash: what lists and DVC files say is free text."""

    def checked(oid: str) -> str:
        try:
            return to_path(Md5.parse(oid))
        except DamagedFile as error:
            raise DataError(f"a hash of DVC's is damaged: {error.what}", next_step=error.next_step) from None

    return checked
