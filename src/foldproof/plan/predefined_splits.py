"""Split by folds that the data define: groups, times, parts or a file of folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foldproof import folds
from foldproof.config.schema import ExperimentConfig
from foldproof.folds import Assignment, Scheme, SchemeInput
from foldproof.plan.splits import scheme_of
from foldproof.project import Project
from foldproof.storage import read_text
from foldproof.storage.limits import FOLDS_BYTES
from foldproof.training_data.load import TrainingData


@dataclass(frozen=True)
class Derived:
    """Folds that the data define, for one scheme: found once for all experiments."""

    assignment: Assignment
    k: int


def predefined_splits(
    configs: Sequence[ExperimentConfig], training_data: TrainingData, project: Project
) -> tuple[tuple[ExperimentConfig, ...], Mapping[Scheme, Assignment]]:
    """The experiments with the number of folds that there are, and the folds that the data define.

    Where a run stands on a record, folds.csv is of the record and has them. Raises FoldsError.
    """
    made: dict[Scheme, Derived] = {}
    found: dict[Scheme, Assignment] = {}
    resolved = []
    for config in configs:
        key = scheme_of(config)
        if key.name == folds.STRATIFIED:
            resolved.append(config)
            continue
        if key not in made:
            made[key] = _made(config, training_data, project)
        resolved.append(replace(config, folds=replace(config.folds, k=made[key].k)))
        found[scheme_of(resolved[-1])] = made[key].assignment
    return tuple(resolved), found


def _made(config: ExperimentConfig, training_data: TrainingData, project: Project) -> Derived:
    if training_data.card:
        asked = SchemeInput(
            dataset=training_data.dataset,
            folds=config.folds,
            said=training_data.said,
            by_file=training_data.folds_file,
            date_order=training_data.date_order,
        )
        return Derived(*folds.find_folds(asked))
    return _recorded(config, training_data, project)


def _recorded(config: ExperimentConfig, training_data: TrainingData, project: Project) -> Derived:
    rows = folds.from_csv(read_text(project.folds_file, most_bytes=FOLDS_BYTES))
    known = folds.known_folds(rows, scheme_of(config), 0)
    places = [known[sample.sha256] for sample in training_data.dataset.samples]
    ordered = folds.is_ordered(config.folds.scheme)
    return Derived(Assignment(0, np.array(places, dtype=np.int64), ordered=ordered), config.folds.k)
