"""Cluster look-alikes and find everything wrong with a scan, remembered in a cache."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.config.schema import DataSettings
from foldproof.data.checks.depth import check_range, find_apart, range_of
from foldproof.data.checks.duplicates import CONFIRMED, CROWDED, DISTANCE, Duplicates, Looks, find_duplicates
from foldproof.data.checks.findings import Finding
from foldproof.data.checks.preflight import preflight, report_shortcuts
from foldproof.data.checks.remembered import remembered
from foldproof.data.checks.shortcuts import FileTraits, probe_shortcuts
from foldproof.data.dataset import Dataset, hash_rows
from foldproof.data.examine import ExaminedPicture
from foldproof.data.exclusions import Exclusions
from foldproof.data.likeness import EDGE
from foldproof.data.scan import Scan
from foldproof.data.value_range import SIXTEEN_BITS, ValueRange
from foldproof.folds.units import unit_numbers

SHORTCUTS_VERSION = 1  # of what is remembered, as is the other
DUPLICATES_VERSION = 1


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
    """Search what was scanned for look-alikes and for all that is wrong; in `cache` it is remembered.

    Images of another depth than most are wrong, and not in the dataset.
    """
    trained = {sample.path: found.pictures[sample.path] for sample in found.dataset.samples}
    odd = find_apart(trained)
    if odd:
        trained = {path: picture for path, picture in trained.items() if path not in odd}
        found = replace(found, dataset=Dataset(tuple(one for one in found.dataset.samples if one.path in trained)))
    depth, within = check_range(trained, data.range), range_of(trained, data.range)
    scale = within or SIXTEEN_BITS
    found = replace(found, pictures={path: picture.within(scale) for path, picture in found.pictures.items()})
    duplicates = duplicates_of(found.dataset, found.pictures, apply_near=data.near_duplicates == "group", cache=cache)
    dataset = clustered(found.dataset, duplicates)
    findings = (
        *preflight(found, duplicates=duplicates, exclusions=exclusions or {}),
        *(Finding("mixed-depth", path, why) for path, why in odd.items()),
        *depth,
        *_shortcuts(dataset, found.pictures, cache, within),
    )
    return LookedThrough(found, dataset, duplicates, within, findings)


def looks_of(dataset: Dataset, pictures: Mapping[str, ExaminedPicture]) -> Looks:
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


def duplicates_of(
    dataset: Dataset, pictures: Mapping[str, ExaminedPicture], *, apply_near: bool, cache: Path | None
) -> Duplicates:
    """What looks alike in `dataset`, whose `pictures` are by path; remembered in `cache`."""
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
    dataset: Dataset, pictures: Mapping[str, ExaminedPicture], cache: Path | None, within: ValueRange | None
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
        found = report_shortcuts(probe_shortcuts(traits, dataset.labels, unit_numbers(dataset)), dataset.classes)
        return [[finding.subject, finding.text] for finding in found]

    if not len(dataset):
        return ()
    stored = remembered(cache, "shortcuts", key=key, compute=compute)
    return tuple(Finding("shortcut", str(subject), str(text)) for subject, text in stored)
