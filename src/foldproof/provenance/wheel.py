"""Build a wheel of the running foldproof: exactly its files, the same bytes every time.

So a run can be trained again by the very code that made it, whatever is installed by then.
"""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import foldproof
from foldproof.errors import DamagedFile
from foldproof.storage import FileName, Sha256, read_inside, write_atomically

_TAG = "py3-none-any"
_FILE = re.compile(r"foldproof-[A-Za-z0-9.+_]+-[A-Za-z0-9_]+-[A-Za-z0-9_]+-[A-Za-z0-9_.]+\.whl", re.ASCII)
_MOST_BYTES = 64 * 2**20  # one of ours has half a megabyte
_ENTRY_POINTS = "[console_scripts]\nfoldproof = foldproof.cli:main\n"
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP file can say


@dataclass(frozen=True)
class Wheel:
    """A wheel's name and content."""

    file: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def keep(self, folder: Path) -> Path:
        """Write it below `folder`, in a folder named by its hash, unless it is there. Raises StorageError."""
        path = folder / self.sha256 / self.file
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, self.content)
        return path


def stated_wheel(environment: Mapping[str, Any]) -> tuple[FileName, Sha256] | None:
    """Name and hash of the wheel of which an environment.json speaks; None where it is of none that could be ours."""
    said = environment.get("foldproof_wheel")
    if not isinstance(said, dict):
        return None
    try:
        file, sha256 = FileName.parse(said.get("file")), Sha256.parse(said.get("sha256"))
    except DamagedFile:
        return None
    return (file, sha256) if _FILE.fullmatch(file) else None


def kept_wheel(folder: Path, environment: Mapping[str, Any]) -> Path | None:
    """The wheel of which an environment.json speaks, as `Wheel.keep` put it below `folder`.

    None where it is not there as a plain file through no link, or its content has not the hash by which it is named.
    """
    stated = stated_wheel(environment)
    if stated is None:
        return None
    file, sha256 = stated
    return folder / sha256 / file if is_wheel(folder, f"{sha256}/{file}", sha256) else None


def is_wheel(folder: Path, relative: str, sha256: Sha256) -> bool:
    """Whether `relative` below `folder` is a plain file, reached through no link, of this hash."""
    try:
        content = read_inside(folder, relative, most_bytes=_MOST_BYTES)
    except (OSError, DamagedFile):
        return False
    return hashlib.sha256(content).hexdigest() == sha256


def own_wheel() -> Wheel:
    """A wheel of the package that is running, be it installed or a checkout."""
    version = foldproof.__version__
    info = f"foldproof-{version}.dist-info"
    files = dict(_package())
    files[f"{info}/METADATA"] = _metadata(version)
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: foldproof\nRoot-Is-Purelib: true\nTag: {_TAG}\n".encode()
    files[f"{info}/entry_points.txt"] = _ENTRY_POINTS.encode()
    record = "".join(f"{name},sha256={_urlsafe(content)},{len(content)}\n" for name, content in sorted(files.items()))
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=1)
    return Wheel(f"foldproof-{version}-{_TAG}.whl", packed.getvalue())


def _package() -> Iterator[tuple[str, bytes]]:
    root = Path(foldproof.__file__).parent
    for path in root.rglob("*"):
        relative = path.relative_to(root.parent)
        if path.is_file() and "__pycache__" not in relative.parts and path.suffix != ".pyc":
            yield relative.as_posix(), path.read_bytes()


def _metadata(version: str) -> bytes:
    """What is said of the installed package without its description; of a checkout that is not installed, the least."""
    try:
        said = metadata("foldproof")
    except PackageNotFoundError:
        return f"Metadata-Version: 2.1\nName: foldproof\nVersion: {version}\n".encode()
    names = ("Metadata-Version", "Name", "Version", "Requires-Python", "Requires-Dist")
    lines = [f"{name}: {value}" for name in names for value in said.get_all(name) or ()]
    return ("\n".join(lines) + "\n").encode()


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
