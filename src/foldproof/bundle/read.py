"""A bundle in, be it from whomever; the folder of its run, every file proved by its hash, out. Runs nothing of it."""

import hashlib
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.bundle.write import MANIFEST, SCHEMA_VERSION
from foldproof.errors import DamagedFile
from foldproof.storage import cleaned, inside

MOST_FILES = 2_000_000
MOST_BYTES = 256 * 2**30
MOST_RATIO = 2000  # of what comes out to what is stored, of a file of more than SMALL bytes
SMALL = 2**20
_MOST_MANIFEST_BYTES = 512 * 2**20
_CHUNK = 2**20


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
        try:
            with zipfile.ZipFile(path) as archive:
                manifest = _manifest(archive, path)
                _check_names(archive, manifest)
                for entry in archive.infolist():
                    _extract(archive, entry, here, manifest)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise _damaged(path, str(error)) from error
        except OSError as error:
            raise _damaged(path, error.strerror or str(error)) from error
        run_folder = inside(here, f"runs/{manifest['run']}")
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


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        entry = archive.getinfo(MANIFEST)
    except KeyError:
        raise _damaged(path, f"it has no {MANIFEST}, so it is no bundle of foldproof") from None
    if entry.file_size > _MOST_MANIFEST_BYTES:
        raise ValueError(f"{MANIFEST} has {entry.file_size:,} bytes")
    content = json.loads(archive.read(entry))
    if not isinstance(content, dict) or type(content.get("v")) is not int:
        raise ValueError(f"{MANIFEST} is not a list of files")
    if content["v"] > SCHEMA_VERSION:
        raise DamagedFile(f"{path} is of a newer schema, {content['v']}", next_step="read it with a newer foldproof")
    files = content.get("files")
    if not isinstance(files, dict) or not all(isinstance(one, str) for one in (*files.values(), content.get("run"))):
        raise ValueError(f"{MANIFEST} is not a list of files")
    return content


def _check_names(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
    """Raises ValueError where the files in the archive are not exactly those of its list, or too much to unpack."""
    names = [entry.filename for entry in archive.infolist()]
    if len(names) > MOST_FILES:
        raise ValueError(f"{len(names):,} files")
    if len(set(names)) != len(names):
        raise ValueError("a file stands in it twice")
    if len({name.casefold() for name in names}) != len(names):
        raise ValueError("names that differ in capitals alone")
    expected = {*manifest["files"], MANIFEST}
    if lacking := sorted(expected - set(names)):
        raise ValueError(f"{lacking[0]} is missing")
    if extra := sorted(set(names) - expected):
        raise ValueError(f"{extra[0]} does not stand in its list")
    if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
        raise ValueError("it would take too much room")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, here: Path, manifest: Mapping[str, Any]) -> None:
    """Write one file and hash it meanwhile; what says that it is a link becomes a plain file, or nothing."""
    if entry.is_dir():
        raise ValueError(f"{entry.filename} is a folder")
    if entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise ValueError(f"{entry.filename} would grow {MOST_RATIO}-fold")
    target = inside(here, entry.filename)
    target.parent.mkdir(parents=True, exist_ok=True)
    total, size = hashlib.sha256(), 0
    with archive.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > entry.file_size:
                raise ValueError(f"{entry.filename} is larger than it says")
            total.update(chunk)
            file.write(chunk)
    if entry.filename != MANIFEST and total.hexdigest() != manifest["files"][entry.filename]:
        raise ValueError(f"{entry.filename} is not the file that was put in")


def _damaged(path: Path, why: str) -> DamagedFile:
    return DamagedFile(
        f"{path} cannot be read as a bundle: {cleaned(why, most=200)}", next_step="get it anew from whoever made it"
    )
