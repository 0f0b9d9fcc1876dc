"""Bundles, run folders and DVC's lists that somebody changed with care: hashes fit again, as far as one can see."""

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hostile.world import World, read_zip

Json = Any
MANIFEST = "bundle.json"


class Bundle:
    """The files of the world's bundle; `save` puts them back, with a list that fits."""

    def __init__(self, world: World) -> None:
        self._path = world.bundle
        self.files = read_zip(world.bundle)
        self.manifest = json.loads(self.files.pop(MANIFEST))
        self.run = f"runs/{self.manifest['run']}"

    def edit(self, name: str, change: Callable[[Json], object]) -> None:
        """Change the JSON of a file below the run's folder."""
        content = json.loads(self.files[f"{self.run}/{name}"])
        change(content)
        self.files[f"{self.run}/{name}"] = json.dumps(content).encode()

    def save(self) -> None:
        self.manifest["files"] = {name: sha256(content) for name, content in self.files.items()}
        write_zip(self._path, {**self.files, MANIFEST: json.dumps(self.manifest).encode()})


@contextmanager
def bundle(world: World) -> Iterator[Bundle]:
    """The world's bundle, to be changed in the block."""
    made = Bundle(world)
    yield made
    made.save()


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    path.unlink(missing_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def edit_json(path: Path, change: Callable[[Json], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def rename_images(files: dict[str, bytes], run: str, names: dict[int, str]) -> None:
    """Give images, by their numbers in dataset.json, other paths everywhere in a record."""
    dataset = json.loads(files[f"{run}/dataset.json"])
    rows = dataset["samples"]
    renamed = {}
    for number, name in names.items():
        renamed[_path_of(rows[number])] = name
        _set_path(rows[number], name)
    files[f"{run}/dataset.json"] = json.dumps(dataset).encode()
    table = list(csv.DictReader(io.StringIO(files[f"{run}/folds.csv"].decode())))
    out = io.StringIO()
    writer = csv.DictWriter(out, table[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "path": renamed.get(row["path"], row["path"])} for row in table)
    files[f"{run}/folds.csv"] = out.getvalue().encode()
    for name in [name for name in files if name.startswith(run) and name.endswith("predictions.parquet")]:
        files[name] = _renamed_predictions(files[name], renamed)
    for old, new in renamed.items():
        if f"images/{old}" in files and ".." not in new:
            files[f"images/{new}"] = files.pop(f"images/{old}")


def _path_of(row: Json) -> str:
    return str(row["path"] if isinstance(row, dict) else row[0])


def _set_path(row: Json, path: str) -> None:
    row["path" if isinstance(row, dict) else 0] = path


def _renamed_predictions(content: bytes, renamed: dict[str, str]) -> bytes:
    table = pq.ParquetFile(pa.BufferReader(content)).read()
    at = table.schema.get_field_index("path")
    names = [renamed.get(name, name) for name in table["path"].to_pylist()]
    out = io.BytesIO()
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(names, table.schema.field(at).type)), out)
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def in_remote(world: World, content: bytes, *, ending: str = "") -> str:
    """Put an object into the remote; its hash."""
    oid = md5(content)
    path = world.remote / "files" / "md5" / oid[:2] / (oid[2:] + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return oid


def listed(world: World) -> list[dict[str, str]]:
    """The list of the versioned folder, as DVC has it."""
    (path,) = (world.remote / "files" / "md5").glob("*/*.dir")
    return list(json.loads(path.read_text()))


def relist(world: World, rows: list[dict[str, Any]], *, forget: bool = True) -> str:
    """Make the remote's list other, and images.dvc fit it; where `forget`, cache and images are gone, as in a clone."""
    content = json.dumps(rows, sort_keys=True).encode()
    oid = in_remote(world, content, ending=".dir")
    point(world, f"{oid}.dir", size=1, files=len(rows))
    if forget:
        forget_images(world)
    return oid


def point(world: World, oid: str, *, size: int = 1, files: int = 1, path: str = "images") -> None:
    """images.dvc names another hash."""
    text = f"outs:\n- md5: {json.dumps(oid)}\n  size: {size}\n  nfiles: {files}\n  hash: md5\n  path: {path}\n"
    (world.project / "images.dvc").write_text(text)


def forget_images(world: World) -> None:
    """As in a fresh clone: neither images nor DVC's cache."""
    for path in (world.project / "images", world.project / ".dvc" / "cache"):
        if path.is_symlink():
            path.unlink()
        shutil.rmtree(path, ignore_errors=True)
