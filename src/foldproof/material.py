"""The images of a project, checked in every way: a data section in, an `Inspection` or the `Material` of a run out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.config.schema import DataSettings, FoldSource, Settings
from foldproof.data.checks.card import data_card
from foldproof.data.checks.depth import SETTING, of_depth, range_of
from foldproof.data.checks.duplicates import CONFIRMED, CROWDED, DISTANCE, Duplicates, Looks, find_duplicates
from foldproof.data.checks.findings import CODES, Finding, by_code
from foldproof.data.checks.held_out import on_both_sides, together
from foldproof.data.checks.preflight import of_shortcuts, preflight
from foldproof.data.checks.remembered import remembered
from foldproof.data.checks.shortcuts import FileTraits, probe_shortcuts
from foldproof.data.dataset import Dataset, hash_rows
from foldproof.data.examine import Picture
from foldproof.data.exclusions import Exclusions, read_exclusions
from foldproof.data.index import Index
from foldproof.data.labels.asked import asked_of
from foldproof.data.labels.describe import IN_NO_FOLDER, UNLABELLED, refuse_unknown
from foldproof.data.labels.from_splits import folds_in
from foldproof.data.labels.said import Rules, Said
from foldproof.data.likeness import EDGE
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.scan import Scan, scan
from foldproof.data.survey import Progress, Survey, unheard
from foldproof.data.value_range import ValueRange
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
NOBODY = Dataset(())


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """All that is known of a folder of images. `dataset` is what would be trained, look-alikes in clusters.

    `held_out`: images that are never trained on, by data.test; `within`: the values from black to white that all images
    share, None for 8-bit images.
    """

    path: str
    folder: Path
    found: Scan
    dataset: Dataset
    duplicates: Duplicates
    version: DataVersion
    findings: tuple[Finding, ...]
    most_pixels: int
    held_out: Dataset
    within: ValueRange | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_error)

    def card(self) -> dict[str, Any]:
        """The data card, as plain JSON values."""
        return data_card(
            self.dataset,
            self.found,
            duplicates=self.duplicates,
            version=self.version,
            findings=self.findings,
            held_out=len(self.held_out),
            within=self.within,
        )


@dataclass(frozen=True)
class Material:
    """What is trained on, which version of it that is, and what a person should know of it.

    `path` is as the settings have it, `folder` where that is; `card` describes the images as plain JSON values, and is
    empty where a run stands on a record instead of on a folder that was looked at;
    `most_pixels` is what a picture may have; `said` is what is said of each image, by path, and empty as `card` is;
    `held_out` is never trained on; `folds_file`: the fold of each image by folds.file, where there is one; `within` are
    the values from black to white that all images share, None for 8-bit images.
    """

    path: str
    folder: Path
    dataset: Dataset
    version: DataVersion
    notices: tuple[Notice, ...]
    card: Mapping[str, Any]
    most_pixels: int = MOST_PIXELS
    said: Mapping[str, Said] = field(default_factory=dict)
    held_out: Dataset = NOBODY
    folds_file: Mapping[str, str] = field(default_factory=dict)
    within: ValueRange | None = None


def gather(project: Project, asked: Settings, *, allow_dirty: bool, progress: Progress = unheard) -> Material:
    """The images that a run trains on.

    Raises DataError where some are missing, are not those that were versioned, or cannot be trained on.
    """
    data = asked.data
    seen = inspect(project.path(data.path), data, asked.folds, project=project, progress=progress)
    refuse([error for error in seen.errors if not CODES[error.code].excludable])
    if seen.version.state == "dirty" and interrupted_pull(seen.folder) and not allow_dirty:
        raise DataError(
            "these are not yet the versioned images: an earlier pull was cut off",
            next_step="`foldproof data pull` completes it",
        )
    notices = [Notice(code="data", text=line) for line in versioned.check(seen.version, allow_dirty=allow_dirty)]
    refuse(seen.errors)
    notices += [Notice(code="labels", text=line) for line in _told(seen)]
    warned = by_code(seen.findings)
    if seen.within is not None:
        notices.append(_of_range(seen.within, is_given=data.range != "auto"))
    if seen.found.excluded:
        notices.append(Notice(code="excluded", text=f"{_images(len(seen.found.excluded))} left out by excluded.csv"))
    if warned:
        told = some([f"{code} ({len(findings)})" for code, findings in warned.items()])
        notices.append(Notice(code="warnings", text=f"the images: {told}; `foldproof data check` says more"))
    return Material(
        path=data.path,
        folder=seen.folder,
        dataset=seen.dataset,
        version=seen.version,
        notices=tuple(notices),
        card=seen.card(),
        most_pixels=seen.most_pixels,
        said=seen.found.described.said,
        held_out=seen.held_out,
        folds_file=folds_by_file(seen, asked.folds, project.root),
        within=seen.within,
    )


def folds_by_file(seen: Inspection, asked: FoldSource, root: Path) -> Mapping[str, str]:
    """The fold of each image as folds.file, below `root`, has it; nothing without one. Raises DataError."""
    if not asked.file:
        return {}
    paths = [sample.path for sample in seen.dataset.samples]
    return folds_in(root / asked.file, paths, folder=seen.folder)


def _told(seen: Inspection) -> Iterator[str]:
    """How labels were understood, and what is not trained on because of what was asked."""
    yield from seen.found.described.notes
    left = Counter(why for why in seen.found.described.left.values() if why not in (IN_NO_FOLDER, UNLABELLED))
    for why, count in sorted(left.items()):
        yield f"{_images(count)} {why}"
    if len(seen.held_out):
        yield f"{_images(len(seen.held_out))} held out by data.test: never trained on"


def _of_range(within: ValueRange, *, is_given: bool) -> Notice:
    how = "as given" if is_given else "the lowest and the highest of all images"
    levels = f"{2**within.bits:,} levels"
    return Notice(code="range", text=f"{SETTING}: the values {within} are black to white, in {levels} ({how})")


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
    folds: FoldSource | None = None,
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
    asked = asked_of(data, folds or FoldSource(), root=project.root if project else folder.parent, folder=folder)
    looked = partial(_scanned, project=project, most_pixels=most_pixels, deep=deep, progress=progress)
    found = looked(folder, asked.rules, exclusions)
    test = looked(asked.test_folder, asked.test_rules, {}) if asked.test_folder else None
    if data.classes is not None:
        refuse_unknown(data.classes, found.described.labels | (test.described.labels if test else set()))
    version = dvc.state_of(folder, found)
    seen = look_through(found, data, exclusions=exclusions, cache=cache)
    held_out, held_pictures = _held_out(found, test, data.test)
    if seen.within is not None:
        held_pictures = {path: picture.within(seen.within) for path, picture in held_pictures.items()}
    return Inspection(
        path=data.path,
        folder=folder,
        found=seen.found,
        dataset=seen.dataset,
        duplicates=seen.duplicates,
        version=version,
        most_pixels=most_pixels,
        held_out=held_out,
        within=seen.within,
        findings=(
            *seen.findings,
            *_on_both_sides(seen.dataset, held_out, {**seen.found.pictures, **held_pictures}, cache),
        ),
    )


@dataclass(frozen=True)
class LookedThrough:
    """What a scan amounts to: `dataset` has its look-alikes in clusters, unless they are only reported; `found` has
    pictures on the scale that all images share, `within`.
    """

    found: Scan
    dataset: Dataset
    duplicates: Duplicates
    within: ValueRange | None
    findings: tuple[Finding, ...]


def look_through(
    found: Scan, data: DataSettings, *, exclusions: Exclusions | None = None, cache: Path | None = None
) -> LookedThrough:
    """Search what was scanned for look-alikes and for all that is wrong; in `cache` it is remembered."""
    trained = {sample.path: found.pictures[sample.path] for sample in found.dataset.samples}
    depth, within = of_depth(trained, data.range), range_of(trained, data.range)
    if within is not None:
        found = replace(found, pictures={path: picture.within(within) for path, picture in found.pictures.items()})
    duplicates = _duplicates(found.dataset, found.pictures, apply_near=data.near_duplicates == "group", cache=cache)
    dataset = clustered(found.dataset, duplicates)
    findings = (
        *preflight(found, duplicates=duplicates, exclusions=exclusions or {}),
        *depth,
        *_shortcuts(dataset, found.pictures, cache, within),
    )
    return LookedThrough(found, dataset, duplicates, within, findings)


def _scanned(
    folder: Path,
    rules: Rules,
    exclusions: Exclusions,
    *,
    project: Project | None,
    most_pixels: int,
    deep: bool,
    progress: Progress,
) -> Scan:
    own = project.own_cache if project else None
    with Index(own and own / index_name(folder, own)) as index:
        return scan(
            folder,
            rules=rules,
            cache_dirs=dvc.cache_folders(folder),
            excluded=exclusions,
            how=Survey(index=index, most_pixels=most_pixels, deep=deep, progress=progress),
        )


def _held_out(found: Scan, test: Scan | None, name: str | None) -> tuple[Dataset, Mapping[str, Picture]]:
    """The images that are held out and how they look; those of another folder have its name before their paths.

    Raises DataError for one that cannot be read.
    """
    if test is None:
        return found.held_out, {}
    if test.troubles:
        path, trouble = next(iter(test.troubles.items()))
        raise DataError(
            f"data.test: {name}/{path} {trouble.text}", next_step="replace it by an intact copy, or remove it"
        )
    named = [sample._replace(path=f"{name}/{sample.path}") for sample in test.dataset.samples]
    return Dataset.of(named), {f"{name}/{path}": picture for path, picture in test.pictures.items()}


def _on_both_sides(
    dataset: Dataset, held_out: Dataset, pictures: Mapping[str, Picture], cache: Path | None
) -> Iterator[Finding]:
    if len(held_out):
        everything = together(dataset, held_out)
        alike = _duplicates(everything, pictures, apply_near=False, cache=cache)
        yield from on_both_sides(dataset, held_out, pictures, alike)


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


def _shortcuts(
    dataset: Dataset, pictures: Mapping[str, Picture], cache: Path | None, within: ValueRange | None
) -> tuple[Finding, ...]:
    clusters = "".join(f"{sample.duplicate};" for sample in dataset.samples)
    scale = () if within is None else (f"{within.low!r} {within.high!r}",)
    key = hash_rows([(SHORTCUTS_VERSION, dataset.fingerprint, clusters, *scale)])

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
