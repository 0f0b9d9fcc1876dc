"""Find everything wrong with a set of images before the first epoch."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from foldproof.data.checks.duplicates import Duplicates
from foldproof.data.checks.findings import Finding
from foldproof.data.checks.portable import unportable_names
from foldproof.data.checks.shortcuts import Shortcut
from foldproof.data.dataset import Dataset
from foldproof.data.examine import ExaminedPicture
from foldproof.data.exclusions import Exclusions
from foldproof.data.labels.copies import copies_of
from foldproof.data.readers import has_reader, suffix_of
from foldproof.data.scan import Scan

SMALL = 16  # pixels: of less, hardly anything can be seen
FLAT = 2.0  # of 0 to 255: standard deviation of grey under which a picture is one colour
IMBALANCE = 10.0
SIZE_RATIO = 1.5  # between the classes' median sizes
FORMAT_SHARE = 0.5  # between the classes' shares of a format

_TRAITS = {
    "rotated": "exif-rotated",
    **{trait: trait for trait in ("palette", "cmyk", "alpha", "animated", "windowed")},
    "narrowed": "read-as-8-bits",
}


def preflight(found: Scan, *, duplicates: Duplicates, exclusions: Exclusions) -> tuple[Finding, ...]:
    """What is wrong with the files of `found` and with the set as a whole; `duplicates` are of its dataset's images."""
    return (
        *(Finding(trouble.code, path, trouble.text) for path, trouble in found.troubles.items()),
        *(Finding(item.code, item.path, item.reason) for item in found.ignored),
        *_by_content(found.dataset),
        *_copies(found.dataset),
        *unportable_names(sample.path for sample in found.dataset.samples),
        *(Finding("idle-pattern", pattern) for pattern in found.described.idle),
        *(Finding("row-without-image", path) for path in found.described.lacking),
        *_of_pictures({sample.path: found.pictures[sample.path] for sample in found.dataset.samples}),
        *_label_conflicts(found.dataset, found.pictures),
        *_alike(found.dataset, duplicates),
        *_of_classes(found.dataset.count_by_class),
        *_by_class(found.dataset, found.pictures),
        *_stale(found, exclusions),
    )


def report_shortcuts(shortcuts: Sequence[Shortcut], classes: Sequence[str]) -> tuple[Finding, ...]:
    """The traits of files that clearly tell a class."""
    return tuple(Finding("shortcut", item.trait, item.text(classes)) for item in shortcuts if item.clear)


def _of_pictures(pictures: Mapping[str, ExaminedPicture]) -> Iterator[Finding]:
    for path, picture in pictures.items():
        for trait in picture.traits:
            yield Finding(_TRAITS[trait], path)
        if picture.short_side < SMALL:
            yield Finding("very-small", path, f"{picture.width} x {picture.height} pixels")
        if picture.spread < FLAT:
            yield Finding("near-constant", path, f"standard deviation of grey {picture.spread:.1f} of 255")


def _copies(dataset: Dataset) -> Iterator[Finding]:
    """Names that say that images are copies of others, where nothing says that these belong together."""
    paths = [sample.path for sample in dataset.samples]
    if not any(sample.group for sample in dataset.samples) and (pictures := copies_of(paths)):
        yield Finding("copies-by-name", min(paths), f"{len(paths):,} images are copies of {pictures:,} pictures")


def _by_content(dataset: Dataset) -> Iterator[Finding]:
    """Images whose suffix says nothing, once for each."""
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for sample in dataset.samples:
        paths[suffix_of(sample.path)].append(sample.path)
    for suffix, some in sorted(paths.items()):
        if not has_reader(suffix):
            count = f"{len(some):,} image{'s' if len(some) != 1 else ''}"
            yield Finding(
                "read-by-content", min(some), f"{count} {f'ending in {suffix}' if suffix else 'without suffix'}"
            )


def _label_conflicts(dataset: Dataset, pictures: Mapping[str, ExaminedPicture]) -> Iterator[Finding]:
    same: defaultdict[str, list[int]] = defaultdict(list)
    for position, sample in enumerate(dataset.samples):
        same[pictures[sample.path].pixels].append(position)
    for positions in same.values():
        if len({dataset.samples[position].label for position in positions}) > 1:
            for position in positions:
                sample = dataset.samples[position]
                others = sorted(dataset.samples[p].path for p in positions if dataset.samples[p].label != sample.label)
                yield Finding("label-conflict", sample.path, f"the same pixels as {others[0]}")


def _alike(dataset: Dataset, duplicates: Duplicates) -> Iterator[Finding]:
    samples = dataset.samples
    for pair in duplicates.pairs:
        first, second = samples[pair.first], samples[pair.second]
        if not pair.exact and first.label != second.label:
            yield Finding("near-label-conflict", first.path, f"looks like {second.path}")
    for cluster in duplicates.clusters:
        if cluster.too_large:
            like = samples[cluster.representative].path
            yield Finding("near-group-too-large", like, f"{len(cluster.members)} pictures look like it")


def _of_classes(count_by_class: Mapping[str, int]) -> Iterator[Finding]:
    folded: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(count_by_class):
        folded[unicodedata.normalize("NFKD", name).casefold()].append(name)
    for names in folded.values():
        if len(names) > 1:
            yield Finding("case-colliding-classes", names[0], " and ".join(names))
    if len(count_by_class) > 1:
        smallest = min(count_by_class, key=lambda name: (count_by_class[name], name))
        largest = max(count_by_class, key=lambda name: (count_by_class[name], name))
        if count_by_class[largest] > IMBALANCE * count_by_class[smallest]:
            text = f"{count_by_class[largest]} images of {largest}, {count_by_class[smallest]} of {smallest}"
            yield Finding("imbalance", smallest, text)


def _by_class(dataset: Dataset, pictures: Mapping[str, ExaminedPicture]) -> Iterator[Finding]:
    """Sizes and formats that differ by class. A class of fewer than five images says nothing of its kind."""
    of_class: defaultdict[str, list[ExaminedPicture]] = defaultdict(list)
    for sample in dataset.samples:
        of_class[sample.label].append(pictures[sample.path])
    known = {name: some for name, some in sorted(of_class.items()) if len(some) >= 5}
    if len(known) < 2:
        return
    edges = {name: float(np.median([(p.width * p.height) ** 0.5 for p in some])) for name, some in known.items()}
    small, large = min(edges, key=lambda name: edges[name]), max(edges, key=lambda name: edges[name])
    if edges[large] >= SIZE_RATIO * edges[small]:
        text = f"typical edge {edges[large]:.0f} pixels in {large}, {edges[small]:.0f} in {small}"
        yield Finding("sizes-differ-by-class", small, text)
    counts = {name: Counter(picture.format for picture in some) for name, some in known.items()}
    for format_ in sorted({name for count in counts.values() for name in count}):
        shares = {name: counts[name][format_] / len(known[name]) for name in known}
        low, high = min(shares, key=lambda name: shares[name]), max(shares, key=lambda name: shares[name])
        if shares[high] - shares[low] >= FORMAT_SHARE:
            text = f"{format_}: {shares[high]:.0%} of {high}, {shares[low]:.0%} of {low}"
            yield Finding("formats-differ-by-class", high, text)


def _stale(found: Scan, exclusions: Exclusions) -> Iterator[Finding]:
    used = {(item.sha256, item.label) for _, item in found.excluded}
    for key, item in exclusions.items():
        if key not in used:
            yield Finding("stale-exclusion", item.path, f"listed as {item.code}")
