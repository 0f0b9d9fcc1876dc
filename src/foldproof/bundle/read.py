"""Open a bundle from anyone: unpack the folder of its run, every file proved by its hash. Runs nothing of it."""

import hashlib
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.bundle.entries import Entry, check_end, entries_of
from foldproof.bundle.write import MANIFEST, SCHEMA_VERSION
from foldproof.errors import DamagedFile, StorageError
from foldproof.storage import RunId, Sha256, cleaned, create_inside, parse_json
from foldproof.storage.limits import MANIFEST_BYTES

_CHUNK = 2**20
_SPARE_BYTES = 64 * 2**20  # of the disk that stay free
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError,
           struct.error, LookupError)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A bundle that was taken apart; `run_folder` stands among the other runs of its experiment."""

    run_folder: Path
    manifest: Mapping[str, Any]
    images: Path | None
    wheel: Path | None


def is_bundle(path: Path) -> bool:
    """Whether `path` is a ZIP file, whatever is in it."""
    return path.is_file() and zipfile.is_zipfile(path)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The bundle at `path` in a temporary folder, which goes with the block.

    Raises DamagedFile where it is none, or where a file in it is not what its list says.
    """
    with tempfile.TemporaryDirectory(prefix="foldproof-bundle-") as name:
        here = Path(name)
        manifest = _unpacked(path, here)
        run_folder = here / "runs" / manifest["run"]
        if not (run_folder / "run.json").is_file():
            raise _damaged(path, "it has no run")
        wheels = sorted(here.glob("foldproof-*.whl"))
        images = here / "images"
        yield Opened(
            run_folder=run_folder,
            manifest=manifest,
            images=images if images.is_dir() else None,
            wheel=wheels[0] if wheels else None,
        )


def _unpacked(path: Path, here: Path) -> dict[str, Any]:
    """Put the files of a bundle below the empty folder `here`; its list."""
    try:
        check_end(path)
        with zipfile.ZipFile(path) as archive:
            entries = entries_of(archive, path.stat().st_size)
            manifest = _manifest(archive, entries, path)
            _check_names(entries, manifest)
            _demand_room(entries, here)
            for entry in entries:
                _extract(archive, entry, here, manifest)
    except _DAMAGE as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error
    return manifest


def _manifest(archive: zipfile.ZipFile, entries: Sequence[Entry], path: Path) -> dict[str, Any]:
    try:
        entry = archive.getinfo(MANIFEST)
    except KeyError:
        raise _damaged(path, f"it has no {MANIFEST}, so it is no bundle of foldproof") from None
    if entry.file_size > _most_manifest_bytes(entries):
        raise ValueError(f"{MANIFEST} has {entry.file_size:,} bytes for {len(entries):,} files")
    content = parse_json(archive.read(entry))
    if not isinstance(content, dict) or type(content.get("v")) is not int:
        raise ValueError(f"{MANIFEST} is not a list of files")
    if content["v"] > SCHEMA_VERSION:
        raise DamagedFile(f"{path} is of a newer schema, {content['v']}", next_step="read it with a newer foldproof")
    files = content.get("files")
    if not isinstance(files, dict) or len(files) >= len(entries):
        raise ValueError(f"{MANIFEST} is not a list of its files")
    return {
        **content,
        "run": RunId.parse(content.get("run")),
        "files": {name: Sha256.parse(sha256) for name, sha256 in files.items()},
    }


def _most_manifest_bytes(entries: Sequence[Entry]) -> int:
    """A list names each file once, and no character takes more than six bytes of JSON."""
    return MANIFEST_BYTES * (len(entries) + 8) + sum(6 * len(entry.name.encode()) for entry in entries)


def _check_names(entries: Sequence[Entry], manifest: Mapping[str, Any]) -> None:
    """Raises ValueError where the files in the archive are not exactly those of its list."""
    names = {str(entry.name) for entry in entries}
    expected = {*manifest["files"], MANIFEST}
    if lacking := sorted(expected - names):
        raise ValueError(f"{lacking[0]} is missing")
    if extra := sorted(names - expected):
        raise ValueError(f"{extra[0]} does not stand in its list")


def _demand_room(entries: Sequence[Entry], here: Path) -> None:
    size = sum(entry.info.file_size for entry in entries)
    if size + _SPARE_BYTES > shutil.disk_usage(here).free:
        raise StorageError(
            f"the bundle takes {size / 1e9:.1f} GB unpacked, more than is free in {here.parent}",
            next_step="free some space there, or name a different place: TMPDIR=FOLDER foldproof …",
        )


def _extract(archive: zipfile.ZipFile, entry: Entry, here: Path, manifest: Mapping[str, Any]) -> None:
    """Write one file and hash it meanwhile."""
    name, stated = entry.name, entry.info.file_size
    total, size = hashlib.sha256(), 0
    with archive.open(entry.info) as source, create_inside(here, name) as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > stated:
                raise ValueError(f"{name} is larger than it says")
            total.update(chunk)
            file.write(chunk)
    if size != stated or (name != MANIFEST and total.hexdigest() != manifest["files"][name]):
        raise ValueError(f"{name} is not the file that was put in")


def _damaged(path: Path, why: str) -> DamagedFile:
    return DamagedFile(
        f"{path} cannot be read as a bundle: {cleaned(why, most=200)}", next_step="get a new copy from whoever made it"
    )
