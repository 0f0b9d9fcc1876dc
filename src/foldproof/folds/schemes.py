"""List the fold schemes: how each finds its folds, which settings it reads and what it needs. Pure.

A row is registered in `registry.SEAMS["schemes"]`. Of an own scheme a plain function is enough, from (samples, k, seed)
to a fold for each sample, -1 for one that only trains; foldproof then refuses folds that leak or lack a class.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from foldproof import registry
from foldproof.config.schema import FoldSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.labels.parts import Part, parts_of
from foldproof.data.labels.said import ImageLabel
from foldproof.errors import FoldsError
from foldproof.folds.cut import Assignment
from foldproof.folds.derived import assign_as_written, assign_in_time, checked, one_group_a_fold

OwnScheme: TypeAlias = Callable[[Sequence[Sample], int, int], Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class SchemeInput:
    """What a scheme can go by. `said`: of each image, by path; `by_file`: folds of folds.file; see `FoldSource`."""

    dataset: Dataset
    folds: FoldSettings
    said: Mapping[str, ImageLabel] = field(default_factory=dict)
    by_file: Mapping[str, str] = field(default_factory=dict)
    date_order: str = ""


@dataclass(frozen=True, kw_only=True)
class FoldScheme:
    """A scheme: `find` gives the folds that the data say and how many; None where foldproof draws them.

    `reads`: settings of the section `folds` that no other scheme reads. `needs`: what has to be known of every image,
    said by the setting `needs_from` or by a column of data.labels. `ordered`: see `Assignment`.
    """

    find: Callable[[SchemeInput], tuple[Assignment, int]] | None
    reads: tuple[str, ...] = ()
    needs: str = ""
    needs_from: str = ""
    ordered: bool = False


def find_folds(asked: SchemeInput) -> tuple[Assignment, int]:
    """The folds that the data say by the scheme asked for, and how many. Raises FoldsError, UnknownName."""
    scheme = registry.load("schemes", asked.folds.scheme)
    find = scheme.find if isinstance(scheme, FoldScheme) else partial(_find_by_own, scheme)
    if find is None:
        raise ValueError(f"{asked.folds.scheme}: drawn, not said by the data")
    made: tuple[Assignment, int] = find(asked)
    return made


def is_ordered(scheme: str) -> bool:
    """Whether a fold trains only on the folds before it; of a scheme that is built in, for code is not loaded here."""
    return scheme in registry.SEAMS["schemes"] and bool(registry.load("schemes", scheme).ordered)


def _find_by_own(scheme: OwnScheme, asked: SchemeInput) -> tuple[Assignment, int]:
    samples, name = asked.dataset.samples, asked.folds.scheme
    found = [int(fold) for fold in scheme(samples, asked.folds.k, asked.folds.seed)]
    k = max(found, default=-1) + 1
    if len(found) != len(samples) or set(found) - {-1} != set(range(k)) or not 1 <= k <= asked.folds.k:
        raise FoldsError(
            f"{name}: {len(found)} folds {min(found, default=0)} to {k - 1} for {len(samples)} images and folds.k: "
            f"{asked.folds.k}",
            next_step="return a fold for each image: 0 to k - 1, none of them empty, or -1 to only train on it",
        )
    if k == 1 and -1 not in found:
        raise FoldsError(
            f"{name}: all images are in one fold, so that there is nothing to train on",
            next_step="return several folds, or -1 for images to train on",
        )
    return checked(asked.dataset, found, k, name), k


def _find_written(asked: SchemeInput) -> tuple[Assignment, int]:
    parts = parts_of({one.split for one in asked.said.values()})
    written = asked.by_file or {path: one.fold or _fold_of_part(one.split, parts) for path, one in asked.said.items()}
    return assign_as_written(asked.dataset, written)


def _fold_of_part(split: str, parts: Mapping[str, Part]) -> str:
    """The parts of a data set as folds: what trains is in none."""
    match parts.get(split):
        case Part.TRAINING:
            return "train"
        case Part.VALIDATION:
            return "val"
    return split


def _find_in_time(asked: SchemeInput) -> tuple[Assignment, int]:
    times = {path: one.time for path, one in asked.said.items()}
    return assign_in_time(asked.dataset, times, asked.folds.k, order=asked.date_order), asked.folds.k


stratified = FoldScheme(find=None)
leave_one_group_out = FoldScheme(
    find=lambda asked: one_group_a_fold(asked.dataset), needs="groups", needs_from="data.group_by"
)
predefined = FoldScheme(find=_find_written, reads=("file",))
time = FoldScheme(
    find=_find_in_time, reads=("time_by", "date_order"), needs="times", needs_from="folds.time_by", ordered=True
)
