"""Ask a DVC remote which objects it lacks, and why they are missing."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from foldproof.data.versions import dvc, listing, reached
from foldproof.data.versions.opening import opened, told
from foldproof.data.versions.reasons import is_absence, reason
from foldproof.errors import DataError
from foldproof.storage import Md5


def unpushed(folder: Path) -> tuple[str, ...] | None:
    """The versioned files of the folder that the remote does not have, by name of object; nothing is transferred.

    `dvc push` ends well although neither cache nor remote have an object. None where there is nothing to compare: no
    remote is set, or DVC does not know the folder or its files. Raises DataError with the reason where the remote
    cannot be asked.
    """
    if not dvc.has_repository(folder):
        return None
    with opened(folder, f"cannot ask what has been pushed of {folder}") as repository:
        outputs = listing.outputs_of(repository, folder)
        name = reached.remote_of(repository, outputs) if outputs else None
        files = listing.files_of(repository, outputs, folder) if name else None
        if files is None:
            return None
        with told(f"cannot ask the remote {name} what it has"):
            lists = {
                listing.oid_of(output): f"{output.def_path} (the list of files)"
                for output in outputs
                if output.is_dir_checksum
            }
            lacking = _lacking(_odb(repository, outputs), {*files.values(), *lists})
        named = [*((path, oid) for oid, path in lists.items()), *files.items()]
        return tuple(sorted(path for path, oid in named if oid in lacking))


def why_absent(repository: Any, outputs: list[Any], oid: Md5) -> str:
    """Fetch one object and hash it: DVC only says that it did not come. Ends a sentence that names the object."""
    odb, root = _odb(repository, outputs), repository.cloud.get_remote(outputs[0].remote)
    path = odb.oid_to_path(oid)
    try:
        if not odb.fs.exists(path):
            odb.fs.info(path)
    except Exception as error:  # noqa: BLE001  (of whatever library reaches the remote; the reason is kept)
        return _absence(root) if is_absence(error) else f"cannot be had: {reason(error)}"
    with tempfile.TemporaryDirectory() as folder:
        fetched = Path(folder) / "object"
        try:
            odb.fs.get_file(path, str(fetched))
        except Exception as error:  # noqa: BLE001  (as above)
            return f"cannot be had: {reason(error)}"
        whole = listing.is_whole(fetched, oid, legacy=listing.is_legacy(outputs))
    return "did not come, though it is there" if whole else "damaged there"


def refuse_pipes(repository: Any, outputs: list[Any], oids: Collection[Md5]) -> None:
    """Raises DataError where an object of a remote that is a folder is a pipe or a device: DVC would wait for it."""
    odb = _odb(repository, outputs)
    if getattr(odb.fs, "protocol", "") != "local":
        return
    for oid in oids:
        path = Path(odb.oid_to_path(oid))
        if path.exists() and not path.is_file():
            raise DataError(
                f"the remote's object {oid} is no plain file", next_step="take it away there, then `dvc push` it again"
            )


def _absence(remote: Any) -> str:
    """Tell an object that was never pushed from a place that is not there, such as a drive that is not mounted."""
    if getattr(remote.fs, "protocol", "") == "local" and not Path(remote.path).is_dir():
        return "not found there: there is no such folder"
    return "not found there"


def _odb(repository: Any, outputs: list[Any]) -> Any:
    reached.refuse_unreachable(repository, outputs)
    remote = repository.cloud.get_remote(outputs[0].remote)
    return remote.legacy_odb if listing.is_legacy(outputs) else remote.odb


def _lacking(odb: Any, oids: Collection[Md5]) -> set[Md5]:
    """Only by name: DVC's own check of a folder would remove what it finds damaged.

    Some libraries say that nothing is there when they could not ask; so one that is lacking is asked for once more.
    """
    lacking = set(oids) - set(odb.list_oids_exists(sorted(oids)))
    if lacking:
        try:
            odb.fs.info(odb.oid_to_path(min(lacking)))
        except FileNotFoundError as error:
            if not is_absence(error):
                raise
    return lacking
