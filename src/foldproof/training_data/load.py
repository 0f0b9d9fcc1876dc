"""Load the `TrainingData` of a run from the settings, with notices for the user. Start reading here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldproof.config.schema import FoldSource, PixelSettings, Settings
from foldproof.data.checks.depth import SETTING
from foldproof.data.checks.findings import CODES, Finding, group_by_code
from foldproof.data.dataset import Dataset
from foldproof.data.labels.from_splits import folds_in
from foldproof.data.labels.said import ImageLabel
from foldproof.data.pixels.fitted import Form
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.survey import Progress, no_progress
from foldproof.data.value_range import ValueRange
from foldproof.data.versions import versioned
from foldproof.data.versions.unfinished import interrupted
from foldproof.data.versions.versioned import DataVersion
from foldproof.data.walk import some
from foldproof.errors import DataError
from foldproof.events.types import Notice
from foldproof.project import Project
from foldproof.training_data.inspection import Inspection, inspect

NOBODY = Dataset(())


@dataclass(frozen=True)
class TrainingData:
    """What is trained on, which version of it that is, and what a person should know of it.

    `path` is as the settings have it, `folder` where that is; `card` describes the images as plain JSON values, and is
    empty where a run stands on a record instead of on a folder that was looked at;
    `most_pixels` is what a picture may have; `said` is what is said of each image, by path, and empty as `card` is;
    `held_out` is never trained on; `folds_file`: the fold of each image by folds.file, where there is one;
    `date_order`: how times are written, where that is asked for; `within` are the values from black to white that all
    images share, None for 8-bit images.
    """

    path: str
    folder: Path
    dataset: Dataset
    version: DataVersion
    notices: tuple[Notice, ...]
    card: Mapping[str, Any]
    most_pixels: int = MOST_PIXELS
    said: Mapping[str, ImageLabel] = field(default_factory=dict)
    held_out: Dataset = NOBODY
    folds_file: Mapping[str, str] = field(default_factory=dict)
    date_order: str = ""
    within: ValueRange | None = None

    def form(self, pixels: PixelSettings, *, size: int) -> Form:
        """What all images are made into: what the settings ask for, at the size that a model sees."""
        return Form(size=size, resize=pixels.resize, channels=pixels.channels, within=self.within)


def load_training_data(
    project: Project, asked: Settings, *, allow_dirty: bool, progress: Progress = no_progress
) -> TrainingData:
    """The images that a run trains on.

    Raises DataError where some are missing, are not those that were versioned, or cannot be trained on.
    """
    data = asked.data
    seen = inspect(project.path(data.path), data, asked.folds, project=project, progress=progress, early=refuse)
    refuse([error for error in seen.errors if not CODES[error.code].excludable])
    if seen.version.state == "dirty" and interrupted(seen.folder, "pull") and not allow_dirty:
        raise DataError(
            "these are not yet the versioned images: an earlier pull was cut off",
            next_step="`foldproof data pull` completes it",
        )
    notices = [Notice(code="data", text=line) for line in versioned.check(seen.version, allow_dirty=allow_dirty)]
    refuse(seen.errors)
    notices += [Notice(code="labels", text=line) for line in _told(seen)]
    warned = group_by_code(seen.findings)
    if seen.within is not None:
        notices.append(_of_range(seen.within, is_given=data.range != "auto"))
    if seen.found.excluded:
        notices.append(Notice(code="excluded", text=f"{_images(len(seen.found.excluded))} left out by excluded.csv"))
    if warned:
        told = some([f"{code} ({len(findings)})" for code, findings in warned.items()])
        notices.append(Notice(code="warnings", text=f"the images: {told}; `foldproof data check` says more"))
    return TrainingData(
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
        date_order=asked.folds.date_order or "",
        within=seen.within,
    )


def folds_by_file(seen: Inspection, asked: FoldSource, root: Path) -> Mapping[str, str]:
    """The fold of each image as folds.file, below `root`, has it; nothing without one. Raises DataError."""
    if not asked.file:
        return {}
    paths = [sample.path for sample in seen.dataset.samples]
    return folds_in(root / asked.file, paths, folder=seen.folder)


def refuse(errors: Sequence[Finding]) -> None:
    """Raises DataError where there are errors, with the first of them and the way to all."""
    if errors:
        by_text: dict[str, list[str]] = {}
        for error in errors:
            by_text.setdefault(error.text or CODES[error.code].means, []).append(error.subject)
        told = some([f"{some(subjects)} ({text})" for text, subjects in by_text.items()], between="; ")
        can_be_left_out = all(CODES[error.code].excludable for error in errors)
        way = "; `foldproof data check --exclude` leaves them out" if can_be_left_out else ""
        raise DataError(
            f"{len(errors)} error{'s' if len(errors) > 1 else ''} in the images: {told}",
            next_step=f"`foldproof data check` shows all of them and what to do{way}",
        )


def _told(seen: Inspection) -> Iterator[str]:
    """How labels were understood, and what is not trained on because of what was asked."""
    yield from seen.found.described.told
    if len(seen.held_out):
        yield f"{_images(len(seen.held_out))} held out by data.test: never trained on"


def _of_range(within: ValueRange, *, is_given: bool) -> Notice:
    how = "as given" if is_given else "the lowest and the highest of all images"
    levels = f"{2**within.bits:,} levels"
    return Notice(code="range", text=f"{SETTING}: the values {within} are black to white, in {levels} ({how})")


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count != 1 else ''}"
