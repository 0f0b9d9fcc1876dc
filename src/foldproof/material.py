"""The images of a project, checked in every way: a data section in, an `Inspection` or the `Material` of a run out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.config.schema import DataSettings
from foldproof.data.checks.card import data_card
from foldproof.data.checks.duplicates import CONFIRMED, CROWDED, DISTANCE, Duplicates, Looks, find_duplicates
from foldproof.data.checks.findings import CODES, Finding, by_code
from foldproof.data.checks.preflight import of_shortcuts, preflight
from foldproof.data.checks.remembered import remembered
from foldproof.data.checks.shortcuts import FileTraits, probe_shortcuts
from foldproof.data.dataset import Dataset, hash_rows
from foldproof.data.examine import Picture
from foldproof.data.exclusions import Exclusions, read_exclusions
from foldproof.data.index import Index
from foldproof.data.likeness import EDGE
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.scan import Scan, scan
from foldproof.data.survey import Progress, Survey, unheard
from foldproof.data.versions import dvc, versioned
from foldproof.data.versions.unfinished import interrupted_pull
from foldproof.data.versions.versioned import DataVersion
from foldproof.data.walk import some
from foldproof.errors import DataError
from foldproof.events.types import Notice
from foldproof.folds.units import unit_numbers
from foldproof.project import Project

SHORTCUTS_VERSION = 1  # of what is remembered, as is the other
DUPLICATES_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """All that is known of a folder of images. `dataset` is what would be trained, look-alikes in clusters."""

    path: str
    folder: Path
    found: Scan
    dataset: Dataset
    duplicates: Duplicates
    version: DataVersion
    findings: tuple[Finding, ...]
    most_pixels: int

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_error)

    def card(self) -> dict[str, Any]:
        """The data card, as plain JSON values."""
        return data_card(
            self.dataset, self.found, duplicates=self.duplicates, version=self.version, findings=self.findings
        )


@dataclass(frozen=True)
class Material:
    """What is trained on, which version of it that is, and what a person should know of it.

    `path` is as the settings have it, `folder` where that is; `card` describes the images as plain JSON values, and is
    empty where a run stands on a record instead of on a folder that was looked at;
    `most_pixels` is what a picture may have.
    """

    path: str
    folder: Path
    dataset: Dataset
    version: DataVersion
    notices: tuple[Notice, ...]
    card: Mapping[str, Any]
    most_pixels: int = MOST_PIXELS


def gather(project: Project, data: DataSettings, *, allow_dirty: bool, progress: Progress = unheard) -> Material:
    """The images that a run trains on.

    Raises DataError where some are missing, are not those that were versioned, or cannot be trained on.
    """
    seen = inspect(project.path(data.path), data, project=project, progress=progress)
    refuse([error for error in seen.errors if not CODES[error.code].excludable])
    if seen.version.state == "dirty" and interrupted_pull(seen.folder) and not allow_dirty:
        raise DataError(
            "these are not yet the versioned images: an earlier pull was cut off",
            next_step="`foldproof data pull` completes it",
        )
    notices = [Notice(code="data", text=line) for line in versioned.check(seen.version, allow_dirty=allow_dirty)]
    refuse(seen.errors)
    warned = by_code(seen.findings)
    if seen.found.excluded:
        notices.append(Notice(code="excluded", text=f"{_images(len(seen.found.excluded))} left out by excluded.csv"))
    if warned:
        told = some([f"{code} ({len(findings)})" for code, findings in warned.items()])
        notices.append(Notice(code="warnings", text=f"the images: {told}; `foldproof data check` says more"))
    return Material(data.path, seen.folder, seen.dataset, seen.version, tuple(notices), seen.card(), seen.most_pixels)


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count != 1 else ''}"


def refuse(errors: Sequence[Finding]) -> None:
    """Raises DataError where there are errors, with the first of them and the way to all."""
    if errors:
        told = some([f"{error.subject} ({error.text or CODES[error.code].means})" for error in errors], between="; ")
        can_be_left_out = all(CODES[error.code].excludable for error in errors)
        way = "; `foldproof data check --exclude` leaves them out" if can_be_left_out else ""
        raise DataError(
            f"{len(errors)} error{'s' if len(errors) > 1 else ''} in the images: {told}",
            next_step=f"`foldproof data check` shows all of them and what to do{way}",
        )


def inspect(
    folder: Path,
    data: DataSettings,
    *,
    project: Project | None = None,
    deep: bool = False,
    progress: Progress = unheard,
) -> Inspection:
    """Look at every image in `folder`; what a project's index knows is not read again, unless `deep`.

    Raises DataError where there is nothing to look at, and where DVC's records cannot be read.
    """
    cache = project.cache if project else None
    most_pixels = data.max_megapixels * 1_000_000
    exclusions = read_exclusions(project.exclusions_file) if project else {}
    own = project.own_cache if project else None
    with Index(own and own / index_name(folder, own)) as index:
        found = scan(
            folder,
            group_by=data.group_by,
            cache_dirs=dvc.cache_folders(folder),
            excluded=exclusions,
            how=Survey(index=index, most_pixels=most_pixels, deep=deep, progress=progress),
        )
    version = dvc.state_of(folder, found)
    seen = look_through(found, apply_near=data.near_duplicates == "group", exclusions=exclusions, cache=cache)
    return Inspection(
        path=data.path,
        folder=folder,
        found=found,
        dataset=seen.dataset,
        duplicates=seen.duplicates,
        version=version,
        most_pixels=most_pixels,
        findings=seen.findings,
    )


@dataclass(frozen=True)
class LookedThrough:
    """What a scan amounts to: `dataset` has its look-alikes in clusters, unless they are only reported."""

    dataset: Dataset
    duplicates: Duplicates
    findings: tuple[Finding, ...]


def look_through(
    found: Scan, *, apply_near: bool = True, exclusions: Exclusions | None = None, cache: Path | None = None
) -> LookedThrough:
    """Search what was scanned for look-alikes and for all that is wrong; in `cache` it is remembered."""
    duplicates = _duplicates(found.dataset, found.pictures, apply_near=apply_near, cache=cache)
    dataset = clustered(found.dataset, duplicates)
    findings = (
        *preflight(found, duplicates=duplicates, exclusions=exclusions or {}),
        *_shortcuts(dataset, found.pictures, cache),
    )
    return LookedThrough(dataset, duplicates, findings)


def index_name(folder: Path, cache: Path) -> str:
    """Each folder has an index of its own; it goes with the project where both move together."""
    relative = Path(folder).resolve()
    root = cache.resolve().parent.parent
    name = relative.relative_to(root).as_posix() if relative.is_relative_to(root) else str(relative)
    return f"index-{hash_rows([(name,)])[:12]}.sqlite"


def looks_of(dataset: Dataset, pictures: Mapping[str, Picture]) -> Looks:
    """How the images look, in manifest order."""
    seen = [pictures[sample.path] for sample in dataset.samples]
    return Looks(
        pixels=[picture.pixels for picture in seen],
        phash=np.array([picture.likeness.phash for picture in seen], dtype=np.uint64),
        thumbnails=np.frombuffer(b"".join(picture.likeness.thumbnail for picture in seen), dtype=np.uint8).reshape(
            -1, EDGE, EDGE
        ),
        short_side=np.array([picture.short_side for picture in seen], dtype=np.int64),
        labels=dataset.labels,
    )


def _duplicates(
    dataset: Dataset, pictures: Mapping[str, Picture], *, apply_near: bool, cache: Path | None
) -> Duplicates:
    about = (str(DUPLICATES_VERSION), DISTANCE, str(CONFIRMED), str(CROWDED), str(apply_near))
    pixels = "".join([pictures[sample.path].pixels for sample in dataset.samples])
    key = hash_rows([about, (pixels, dataset.labels.tobytes().hex())])

    def compute() -> list[Any]:
        return find_duplicates(looks_of(dataset, pictures), apply_near=apply_near).to_json()

    return Duplicates.from_json(remembered(cache, "duplicates", key=key, compute=compute))


def clustered(dataset: Dataset, duplicates: Duplicates) -> Dataset:
    """`dataset` with the name of its cluster in each image that is in one."""
    names = {
        position: dataset.samples[cluster.representative].sha256[:16]
        for cluster in duplicates.clusters
        if cluster.applied
        for position in cluster.members
    }
    samples = list(dataset.samples)
    for position, name in names.items():
        samples[position] = samples[position]._replace(duplicate=name)
    return Dataset(tuple(samples))  # the order stays: paths differ, and count before


def _shortcuts(dataset: Dataset, pictures: Mapping[str, Picture], cache: Path | None) -> tuple[Finding, ...]:
    clusters = "".join(f"{sample.duplicate};" for sample in dataset.samples)
    key = hash_rows([(SHORTCUTS_VERSION, dataset.fingerprint, clusters)])

    def compute() -> list[list[str]]:
        seen = [pictures[sample.path] for sample in dataset.samples]
        traits = FileTraits(
            format=[picture.format for picture in seen],
            camera=[picture.camera for picture in seen],
            width=np.array([picture.width for picture in seen], dtype=np.int64),
            height=np.array([picture.height for picture in seen], dtype=np.int64),
            file_bytes=np.array([picture.file_bytes for picture in seen], dtype=np.int64),
            colour=np.array([picture.colour for picture in seen], dtype=np.float64).reshape(-1, 3),
        )
        found = of_shortcuts(probe_shortcuts(traits, dataset.labels, unit_numbers(dataset)), dataset.classes)
        return [[finding.subject, finding.text] for finding in found]

    if not len(dataset):
        return ()
    stored = remembered(cache, "shortcuts", key=key, compute=compute)
    return tuple(Finding("shortcut", str(subject), str(text)) for subject, text in stored)
