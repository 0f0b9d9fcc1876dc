"""Bring versioned images back: a folder in, the same folder with every file checked against its hash out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.data import dvc
from foldproof.data.scan import hash_files
from foldproof.data.versioned import Difference, count_of
from foldproof.data.walk import Kind, some, walk
from foldproof.errors import DataError

_LEFTOVER = re.compile(r"(^|/)\.[\w-]{22}\.tmp$")  # of a checkout of DVC's that was killed


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """`files` are as they were versioned; `fetched` objects came from the remote; `extra` files were left alone."""

    files: int
    fetched: int
    extra: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """A folder, and what DVC has to do with it."""

    folder: Path
    repository: Any
    outputs: list[Any]

    @property
    def cache(self) -> Any:
        return self.outputs[0].cache

    @property
    def files(self) -> Mapping[str, str] | None:
        return dvc.files_of(self.repository, self.outputs, self.folder)

    def targets(self, *files: str) -> list[str]:
        return dvc.targets_of(self.repository, self.outputs, self.folder, files=files)


@dataclass(frozen=True)
class _Fetched:
    files: Mapping[str, str]
    count: int


def pull(folder: Path) -> Pulled:
    """Fetch what the cache lacks, put it in its place, and hash every file.

    DVC itself installs a damaged object and calls it up to date; here the remote is told to verify, and a damaged copy
    in the cache is fetched anew. Raises DataError with the remote, its URL and the reason where it fails; where files
    would be lost that no version holds; and where a file is still not what was versioned.
    """
    with dvc.opened(folder, f"cannot pull {folder}") as repository:
        place = _Place(folder, repository, dvc.outputs_of(repository, folder))
        if not place.outputs:
            raise DataError(
                f"DVC knows nothing of {folder}", next_step="version it with `foldproof data add`, or mend data.path"
            )
        fetched = _fetch(place)
        files, count = fetched.files, fetched.count
        difference = _difference(place, files)
        if difference != Difference((), (), ()):
            difference = _put_in_place(place, files)
        if _is_wrong(difference) and _drop_damaged(place, files, difference):
            count += _fetch(place).count
            difference = _put_in_place(place, files)
    if _is_wrong(difference):
        raise DataError(
            f"what was pulled is not what was versioned: {Difference(difference.changed, difference.missing, ())}",
            next_step="move these files away and pull again, or `dvc push` them from where they are right",
        )
    return Pulled(files=len(files), fetched=count, extra=difference.extra)


def _fetch(place: _Place) -> _Fetched:
    """See to it that the cache has every file of the folder."""
    files = place.files
    if files is not None and all(place.cache.exists(md5) for md5 in set(files.values())):
        return _Fetched(files, 0)
    remote = dvc.remote_of(place.repository, place.outputs)
    if remote is None:
        raise DataError(
            f"cannot pull {place.folder}: no DVC remote is set",
            next_step="`dvc remote add -d NAME URL`, then pull again",
        )
    with dvc.told(f"cannot pull {place.folder} from the remote {remote}"):
        count = dvc.fetch(place.repository, place.targets())
    files = place.files
    lacking = [] if files is None else sorted(path for path, md5 in files.items() if not place.cache.exists(md5))
    if files is None or lacking:
        oid = str(place.outputs[0].hash_info.value) if files is None else files[lacking[0]]
        what = "the list of files" if files is None else f"{count_of(lacking)} ({some(lacking)})"
        raise DataError(
            f"cannot pull {place.folder} from the remote {remote}: {what} {_why_absent(place, oid)}",
            next_step="mend the remote or its address (`dvc remote list`), or `dvc push` from where the images are",
        )
    return _Fetched(files, count)


def _why_absent(place: _Place, oid: str) -> str:
    """Ask the remote for one object: DVC only says that it did not come."""
    remote = place.repository.cloud.get_remote(place.outputs[0].remote)
    try:
        remote.fs.info(remote.odb.oid_to_path(oid))
    except FileNotFoundError as error:
        return f"cannot be had: {dvc.one_line(error.__cause__)}" if error.__cause__ else "not found there"
    return "damaged there"


def _put_in_place(place: _Place, files: Mapping[str, str]) -> Difference:
    """What is still different when the cache's files have been put into the folder.

    Files that some version holds give way, as they can be had again; others stay.
    """
    for entry in walk(place.folder) if place.folder.is_dir() else ():
        if entry.kind is Kind.FILE and _LEFTOVER.search(entry.path) and entry.path not in files:
            (place.folder / entry.path).unlink()
    if dvc.check_out(place.repository, place.targets()):
        return _difference(place, files)
    found = _difference(place, files)  # DVC left the folder alone, since a file in it is in no version: then one by one
    for path, hashes in hash_files(place.folder, found.extra).items():
        if place.cache.exists(hashes.md5):
            (place.folder / path).unlink()
    wrong = (*found.changed, *found.missing)
    if wrong and not dvc.check_out(place.repository, place.targets(*wrong)):
        changed = _difference(place, files).changed
        raise DataError(
            f"pulling would destroy what no version holds: {count_of(changed)} changed ({some(changed)})",
            next_step="version it with `foldproof data add`, or move it away; then pull again",
        )
    return _difference(place, files)


def _drop_damaged(place: _Place, files: Mapping[str, str], difference: Difference) -> bool:
    """Remove cached objects that are not what their name says, with the copies made of them; whether there were any."""
    found = False
    for path in () if dvc.is_legacy(place.outputs) else (*difference.changed, *difference.missing):
        cached, copy = Path(place.cache.oid_to_path(files[path])), place.folder / path
        if cached.exists() and (md5 := _md5(cached)) != files[path]:
            if copy.exists() and _md5(copy) == md5:
                copy.unlink()
            cached.unlink()
            found = True
    return found


def _difference(place: _Place, files: Mapping[str, str]) -> Difference:
    """Between what is recorded and what is there now; hidden files that were not recorded do not count."""
    entries = walk(place.folder) if place.folder.is_dir() else ()
    there = [entry for entry in entries if entry.kind in (Kind.FILE, Kind.LINK)]
    counted = [entry.path for entry in there if entry.path in files or not entry.hidden]
    md5 = {path: hashes.md5 for path, hashes in hash_files(place.folder, counted).items()}
    return dvc.difference_of(place.folder, files, md5, legacy=dvc.is_legacy(place.outputs))


def _is_wrong(difference: Difference) -> bool:
    return bool(difference.changed or difference.missing)


def _md5(path: Path) -> str:
    return hash_files(path.parent, [path.name])[path.name].md5
