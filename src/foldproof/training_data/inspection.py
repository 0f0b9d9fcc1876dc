"""Inspect a folder of images: everything known of it, as an `Inspection`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from foldproof.config.schema import DataSettings, FoldSource
from foldproof.data.checks.card import data_card
from foldproof.data.checks.duplicates import Duplicates
from foldproof.data.checks.findings import Finding
from foldproof.data.checks.held_out import find_on_both_sides, join_parts
from foldproof.data.dataset import Dataset, hash_rows
from foldproof.data.examine import ExaminedPicture
from foldproof.data.exclusions import Exclusions, read_exclusions
from foldproof.data.index import FileIndex
from foldproof.data.labels.asked import asked_of
from foldproof.data.labels.describe import refuse_unknown
from foldproof.data.labels.said import Rules
from foldproof.data.scan import Scan, hash_file, scan
from foldproof.data.survey import Progress, Survey, no_progress
from foldproof.data.value_range import ValueRange
from foldproof.data.versions import dvc
from foldproof.data.versions.versioned import DataVersion
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.training_data.look_through import duplicates_of, look_through


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


def inspect(
    folder: Path,
    data: DataSettings,
    folds: FoldSource | None = None,
    *,
    project: Project | None = None,
    deep: bool = False,
    progress: Progress = no_progress,
    early: Callable[[Sequence[Finding]], None] | None = None,
) -> Inspection:
    """Look at every image in `folder`; what a project's index knows is not read again, unless `deep`. `early` hears
    what is known to be wrong before anything is decoded, so that it may be refused then.

    Raises DataError where there is nothing to look at, and where DVC's records cannot be read.
    """
    cache = project.cache if project else None
    most_pixels = data.max_megapixels * 1_000_000
    exclusions = read_exclusions(project.exclusions_file) if project else {}
    asked = asked_of(data, folds or FoldSource(), root=project.root if project else folder.parent, folder=folder)
    looked = partial(_scanned, project=project, most_pixels=most_pixels, deep=deep, progress=progress)
    found = looked(folder, asked.rules, exclusions, odd=early and partial(_tell, early, folder, exclusions))
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


def _scanned(
    folder: Path,
    rules: Rules,
    exclusions: Exclusions,
    *,
    project: Project | None,
    most_pixels: int,
    deep: bool,
    progress: Progress,
    odd: Callable[[Mapping[str, str]], None] | None = None,
) -> Scan:
    own = project.own_cache if project else None
    with FileIndex(own and own / index_name(folder, own)) as index:
        return scan(
            folder,
            rules=rules,
            cache_dirs=dvc.cache_folders(folder),
            excluded=exclusions,
            how=Survey(index=index, most_pixels=most_pixels, deep=deep, progress=progress, odd=odd),
        )


def _tell(
    early: Callable[[Sequence[Finding]], None], folder: Path, exclusions: Exclusions, odd: Mapping[str, str]
) -> None:
    """Of images of another depth than most, but for those that excluded.csv leaves out."""
    left = {sha256 for sha256, _ in exclusions}
    early(
        [Finding("mixed-depth", path, why) for path, why in odd.items() if hash_file(folder / path).sha256 not in left]
    )


def _held_out(found: Scan, test: Scan | None, name: str | None) -> tuple[Dataset, Mapping[str, ExaminedPicture]]:
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
    dataset: Dataset, held_out: Dataset, pictures: Mapping[str, ExaminedPicture], cache: Path | None
) -> Iterator[Finding]:
    if len(held_out):
        everything = join_parts(dataset, held_out)
        alike = duplicates_of(everything, pictures, apply_near=False, cache=cache)
        yield from find_on_both_sides(dataset, held_out, pictures, alike)


def index_name(folder: Path, cache: Path) -> str:
    """Each folder has an index of its own; it goes with the project where both move together."""
    relative = Path(folder).resolve()
    root = cache.resolve().parent.parent
    name = relative.relative_to(root).as_posix() if relative.is_relative_to(root) else str(relative)
    return f"index-{hash_rows([(name,)])[:12]}.sqlite"
