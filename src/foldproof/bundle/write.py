"""Write a run's folder, and what was asked for beside it, as one ZIP file. Same run, same bytes."""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof import __version__
from foldproof.bundle import collect
from foldproof.bundle.anonymous import anonymous, image_name, still_tells, traces
from foldproof.bundle.collect import BundleContents
from foldproof.bundle.image_fields import personal_fields
from foldproof.bundle.secrets import settle_secrets
from foldproof.bundle.sheet import codecheck, crate, readme
from foldproof.config.identity import canonical_json
from foldproof.data.dataset import Dataset
from foldproof.errors import DataError, StorageError
from foldproof.project import Project
from foldproof.provenance.wheel import kept_wheel
from foldproof.records.facts import read_environment
from foldproof.records.record import RunRecord
from foldproof.storage import inside, read_file, read_json_inside, replacing
from foldproof.storage.limits import DATASET_BYTES, IMAGE_BYTES

SCHEMA_VERSION = 1
MANIFEST = "bundle.json"
_CRATE = "ro-crate-metadata.json"
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP file can say
_TEXTS = (".json", ".jsonl", ".csv", ".md", ".yml", ".diff")
_MOST_NAMED = 3
_STORED = (".parquet", ".safetensors", ".png", ".jpg", ".jpeg", ".whl")  # compressed already, or hardly to be


@dataclass(frozen=True)
class Bundled:
    """What was written: the file, how many files are in it, and its bytes; what an anonymous one tells all the same."""

    path: Path
    files: int
    size: int
    still_tells: tuple[str, ...] = ()


def write_bundle(folder: Path, project: Project, path: Path, wanted: BundleContents) -> Bundled:
    """Write the bundle of the run in `folder` to `path`, atomically.

    Raises DamagedFile where the record is incomplete, DataError where an image is not there as recorded, SecretsFound
    where it would hold what looks like secrets, SettingsError or StorageError where it cannot be made anonymous or
    written.
    """
    record = RunRecord.read(folder)
    files = settle_secrets(_files(folder, project, wanted), wanted)
    if wanted.anonymous:
        _refuse_traces(files, project)
    images = _images(folder, record, project, wanted) if wanted.images else ()
    _describe(files, images, record, path.name, wanted)
    try:
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for name in sorted(files):
                archive.writestr(_entry(name), files[name])
            for image in images:
                archive.writestr(_entry(image.name), _content(image))
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", next_step="free some space, or name a different place with -o"
        ) from error
    told: tuple[str, ...] = ()
    if wanted.anonymous:
        told = still_tells(record, json.loads(files.get(f"runs/{record.run}/environment.json", b"{}")))
    return Bundled(path, len(files) + len(images), path.stat().st_size, told)


@dataclass(frozen=True)
class _Image:
    name: str  # in the bundle
    path: Path
    sha256: str
    size: int


def _files(folder: Path, project: Project, wanted: BundleContents) -> dict[str, bytes]:
    """All but the images, by their names in the bundle; the oldest run first, since later ones name it by its hash."""
    others = {other.name: other for other in project.run_folders()}
    runs = sorted([folder, *collect.company_of(folder, others)], key=lambda one: one.name)
    found: dict[str, bytes] = {}
    known: dict[str, str] = {}
    for one in runs:
        files = dict(collect.collect_run(one, wanted) if one == folder else collect.collect_sibling(one))
        if wanted.anonymous:
            files = dict(anonymous(files, known=known))
            known[one.name] = _sha256(files["run.json"])
        found |= {f"runs/{one.name}/{name}": content for name, content in files.items()}
    if wheel := kept_wheel(project.wheels, read_environment(folder)):  # of the foldproof that made the run
        found[wheel.name] = wheel.read_bytes()
    return found


def _images(folder: Path, record: RunRecord, project: Project, wanted: BundleContents) -> tuple[_Image, ...]:
    dataset = Dataset.from_json(read_json_inside(folder, "dataset.json", most_bytes=DATASET_BYTES))
    data = project.path(str(record.facts.get("data_path") or "data"))
    found = []
    for sample in dataset.samples:
        name = image_name(sample.path, sample.sha256) if wanted.anonymous else sample.path
        path = inside(data, sample.path)
        try:
            found.append(_Image(f"images/{name}", path, sample.sha256, path.stat().st_size))
        except OSError as error:
            raise DataError(
                f"{path} cannot be read: {error.strerror}", next_step="`foldproof data pull` brings it back"
            ) from error
    if wanted.anonymous:
        _refuse_personal(found)
    return tuple(sorted(found, key=lambda image: image.name))


def _refuse_personal(images: Sequence[_Image]) -> None:
    """Raises DataError where image files say more than their pixels, which may tell whose they are."""
    found: dict[Path, tuple[str, ...]] = {}
    for image in sorted(images, key=lambda image: image.path):
        if fields := personal_fields(_content(image)):
            found[image.path] = fields
    if not found:
        return
    named = "; ".join(
        f"{path}: {', '.join(fields[:_MOST_NAMED])}" for path, fields in list(found.items())[:_MOST_NAMED]
    )
    more = f"; and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
    raise DataError(
        f"images say more than their pixels, so the bundle would not be anonymous: {named}{more}",
        next_step="leave out --images, or take that out of the files, version them and run again",
    )


def _content(image: _Image) -> bytes:
    """The bytes of an image. Raises DataError where it is not the one that the run was trained on."""
    content = read_file(image.path, most_bytes=IMAGE_BYTES)
    if _sha256(content) != image.sha256:
        raise DataError(
            f"{image.path} is not the image that the run was trained on",
            next_step="bring the recorded version back with `foldproof data pull`, or leave out --images",
        )
    return content


def _describe(
    files: dict[str, bytes], images: Sequence[_Image], record: RunRecord, name: str, wanted: BundleContents
) -> None:
    """Add README.md, codecheck.yml, the RO-Crate metadata, and last the list of all files with their hashes."""
    environment = json.loads(files.get(f"runs/{record.run}/environment.json", b"{}"))
    git = environment.get("git") or {}
    commit = git.get("commit")
    code = f"code at commit {commit}" if commit else "its commit left out" if git else "without git"
    created = str(record.facts.get("created", ""))
    holds = {"the images": wanted.images, "the weights": wanted.weights, "resume states": wanted.states}
    names = sorted(files)
    files["README.md"] = readme(record, file=name, holds=holds, code=code).encode()
    files["codecheck.yml"] = codecheck(record, names, created=created).encode()
    hashes = {name: (_sha256(files[name]), len(files[name])) for name in sorted(files)}
    hashes |= {image.name: (image.sha256, image.size) for image in images}
    files[_CRATE] = crate(record, hashes, created=created, commit=commit).encode()
    hashes[_CRATE] = _sha256(files[_CRATE]), len(files[_CRATE])
    files[MANIFEST] = canonical_json(
        {
            "v": SCHEMA_VERSION,
            "run": record.run,
            "experiment": record.experiment,
            "foldproof": __version__,
            "anonymous": wanted.anonymous,
            "files": {name: sha256 for name, (sha256, _) in hashes.items()},
        }
    )


def _refuse_traces(files: Mapping[str, bytes], project: Project) -> None:
    """Raises StorageError where a text still tells whose it is: a name may stand where nobody thought of."""
    for what, text in traces(project.root).items():
        spelled = "|".join(re.escape(one) for one in {text, json.dumps(text)[1:-1]})
        as_a_word = re.compile(rf"(?<![A-Za-z0-9])({spelled})(?![A-Za-z0-9])".encode())
        for name, content in files.items():
            if name.endswith(_TEXTS) and as_a_word.search(content):
                raise StorageError(
                    f"{name} still holds {what}, so the bundle would not be anonymous: nothing was written",
                    next_step="rename what bears that name, as the experiment or a class, or leave out --anonymous",
                )


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_TIME)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_STORED if name.lower().endswith(_STORED) else zipfile.ZIP_DEFLATED
    return entry


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
