"""Folds that the data say: experiments and images in; the number of folds that there are, and these, out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foldproof import folds
from foldproof.config.schema import ExperimentConfig, FoldSettings
from foldproof.data.dataset import Dataset
from foldproof.data.labels.parts import Part, parts_of
from foldproof.data.labels.said import ImageLabel
from foldproof.folds import Assignment, Scheme
from foldproof.plan.cuts import scheme_of
from foldproof.project import Project
from foldproof.storage import read_text
from foldproof.storage.limits import FOLDS_BYTES
from foldproof.training_data.load import TrainingData


@dataclass(frozen=True)
class Derived:
    """Folds that the data say, for one scheme (and, in time, one k): asked for once, whatever the experiments."""

    assignment: Assignment
    k: int


def as_the_data_say(
    configs: Sequence[ExperimentConfig], training_data: TrainingData, project: Project
) -> tuple[tuple[ExperimentConfig, ...], Mapping[Scheme, Assignment]]:
    """The experiments with the number of folds that there are, and the folds that the data say.

    Where a run stands on a record, folds.csv is of the record and has them. Raises FoldsError.
    """
    made: dict[tuple[str, int], Derived] = {}
    found: dict[Scheme, Assignment] = {}
    resolved = []
    for config in configs:
        scheme = config.folds.scheme
        if scheme == folds.STRATIFIED:
            resolved.append(config)
            continue
        key = (scheme, config.folds.k if scheme == folds.TIME else 0)
        if key not in made:
            made[key] = _made(config, training_data, project)
        resolved.append(replace(config, folds=replace(config.folds, k=made[key].k)))
        found[scheme_of(resolved[-1])] = made[key].assignment
    return tuple(resolved), found


def _made(config: ExperimentConfig, training_data: TrainingData, project: Project) -> Derived:
    if training_data.card:
        return derived(
            config.folds, training_data.dataset, training_data.said, training_data.folds_file, training_data.date_order
        )
    return _recorded(config, training_data, project)


def derived(
    asked: FoldSettings,
    dataset: Dataset,
    said: Mapping[str, ImageLabel],
    by_file: Mapping[str, str],
    date_order: str = "",
) -> Derived:
    """The folds of a scheme that the data say: by what is said of each image, or by folds.file. Raises FoldsError."""
    match asked.scheme:
        case "leave-one-group-out":
            return Derived(*folds.one_group_a_fold(dataset))
        case folds.TIME:
            times = {path: one.time for path, one in said.items()}
            return Derived(folds.in_time(dataset, times, asked.k, order=date_order), asked.k)
    parts = parts_of({one.split for one in said.values()})
    written = by_file or {path: one.fold or _as_fold(one.split, parts) for path, one in said.items()}
    return Derived(*folds.as_written(dataset, written))


def _as_fold(split: str, parts: Mapping[str, Part]) -> str:
    """The parts of a data set as folds: what trains is in none."""
    match parts.get(split):
        case Part.TRAINING:
            return "train"
        case Part.VALIDATION:
            return "val"
    return split


def _recorded(config: ExperimentConfig, training_data: TrainingData, project: Project) -> Derived:
    rows = folds.from_csv(read_text(project.folds_file, most_bytes=FOLDS_BYTES))
    known = folds.known_folds(rows, scheme_of(config), 0)
    places = [known[sample.sha256] for sample in training_data.dataset.samples]
    ordered = config.folds.scheme == folds.TIME
    return Derived(Assignment(0, np.array(places, dtype=np.int64), ordered=ordered), config.folds.k)
