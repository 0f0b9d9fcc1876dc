"""The folds of all experiments: images and settings in; partitions, and folds.csv brought up to date, out."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from foldproof import folds
from foldproof.config.schema import ExperimentConfig, FoldSettings
from foldproof.data.dataset import Dataset
from foldproof.data.labels.said import VALIDATION, Said
from foldproof.events.types import Notice
from foldproof.folds import Assignment, Scheme
from foldproof.material import Material
from foldproof.project import Project
from foldproof.storage import locked, write_atomically


@dataclass(frozen=True)
class WrittenFolds:
    """Folds as a run's folder has them: the digest, and the content of folds.csv."""

    digest: str
    table: str


@dataclass(frozen=True)
class Cuts:
    """Every partition that a run's experiments ask for, and what is written of them: made once, for all experiments."""

    dataset: Dataset
    assignments: Mapping[tuple[Scheme, int], Assignment]
    _written: dict[tuple[Scheme, int], WrittenFolds] = field(default_factory=dict, repr=False, compare=False)

    def of(self, config: ExperimentConfig) -> tuple[Assignment, ...]:
        """The partitions of one experiment, one a repeat."""
        scheme = scheme_of(config)
        return tuple(self.assignments[scheme, repeat] for repeat in range(config.folds.repeats))

    def notices(self, config: ExperimentConfig) -> tuple[Notice, ...]:
        """What a person should know of an experiment's folds: images that had one and now have another, and gaps."""
        moved = [made.moved for made in self.of(config) if made.moved]
        if not moved:
            return tuple(self._gaps(config))
        total = sum(moved)
        where = f", in {len(moved)} of {config.folds.repeats} repeats" if config.folds.repeats > 1 else ""
        text = f"{total} image{'s' if total > 1 else ''} moved to another fold{where}: new images join their groups"
        return (Notice(code="folds", text=text),)

    def _gaps(self, config: ExperimentConfig) -> Iterator[Notice]:
        """Folds that the data say may validate on no image of some class, or leave images out."""
        if config.folds.scheme == folds.STRATIFIED:
            return
        (made,) = self.of(config)
        lacking = folds.lacking_classes(self.dataset, made, config.folds.k)
        if lacking:
            number, names = lacking[0]
            more = f", and {len(lacking) - 1} other folds lack some" if len(lacking) > 1 else ""
            yield Notice(code="folds", text=f"fold {number} validates on no image of {', '.join(names[:5])}{more}")
        only_train = int((made.fold_of < 0).sum())
        if only_train:
            yield Notice(code="folds", text=f"{only_train:,} of {len(self.dataset):,} images train and never validate")

    def written(self, config: ExperimentConfig) -> WrittenFolds:
        """The folds of one experiment as they stand in its run's folder."""
        key = scheme_of(config), config.folds.repeats
        if key not in self._written:
            made = self.of(config)
            rows = [row for assignment in made for row in folds.to_rows(self.dataset, key[0], assignment)]
            self._written[key] = WrittenFolds(folds.digest(self.dataset, made), folds.to_csv(sorted(rows)))
        return self._written[key]

    @cached_property
    def dataset_json(self) -> bytes:
        return json.dumps(self.dataset.to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def scheme_of(config: ExperimentConfig) -> Scheme:
    return Scheme(config.folds.k, config.folds.seed, config.folds.scheme)


@dataclass(frozen=True)
class Derived:
    """Folds that the data say, for one scheme (and, in time, one k): asked for once, whatever the experiments."""

    assignment: Assignment
    k: int


def as_the_data_say(
    configs: Sequence[ExperimentConfig], material: Material, project: Project
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
            made[key] = _made(config, material, project)
        resolved.append(replace(config, folds=replace(config.folds, k=made[key].k)))
        found[scheme_of(resolved[-1])] = made[key].assignment
    return tuple(resolved), found


def _made(config: ExperimentConfig, material: Material, project: Project) -> Derived:
    if material.card:
        return derived(config.folds, material.dataset, material.said, material.folds_file)
    return _recorded(config, material, project)


def derived(asked: FoldSettings, dataset: Dataset, said: Mapping[str, Said], by_file: Mapping[str, str]) -> Derived:
    """The folds of a scheme that the data say: by what is said of each image, or by folds.file. Raises FoldsError."""
    match asked.scheme:
        case "leave-one-group-out":
            return Derived(*folds.one_group_a_fold(dataset))
        case folds.TIME:
            times = {path: one.time for path, one in said.items()}
            return Derived(folds.in_time(dataset, times, asked.k), asked.k)
    written = by_file or {path: one.fold or _as_fold(one.split) for path, one in said.items()}
    return Derived(*folds.as_written(dataset, written))


def _as_fold(split: str) -> str:
    """The parts of a data set as folds: what trains is in none."""
    return "val" if split.lower() in VALIDATION else split


def _recorded(config: ExperimentConfig, material: Material, project: Project) -> Derived:
    rows = folds.from_csv(project.folds_file.read_bytes().decode("utf-8"))
    known = folds.known_folds(rows, scheme_of(config), 0)
    places = [known[sample.sha256] for sample in material.dataset.samples]
    ordered = config.folds.scheme == folds.TIME
    return Derived(Assignment(0, np.array(places, dtype=np.int64), ordered=ordered), config.folds.k)


def cut(
    project: Project,
    dataset: Dataset,
    configs: Iterable[ExperimentConfig],
    said: Mapping[Scheme, Assignment] = MappingProxyType({}),
) -> Cuts:
    """Cut every partition that `configs` ask for, keeping what folds.csv has, and bring folds.csv up to date.

    `said`: the folds that the data say.
    """
    wanted = dict.fromkeys((scheme_of(config), repeat) for config in configs for repeat in range(config.folds.repeats))
    with locked(project.root / ".foldproof" / "folds.lock", what="folds.csv", wait_seconds=60.0):
        old_text = project.folds_file.read_bytes().decode("utf-8") if project.folds_file.exists() else ""
        old = folds.from_csv(old_text) if old_text else []
        cuts = {
            (scheme, repeat): said[scheme]
            if scheme in said
            else folds.assign(dataset, scheme, repeat=repeat, known=folds.known_folds(old, scheme, repeat))
            for scheme, repeat in wanted
        }
        rows = [row for (scheme, _), made in cuts.items() for row in folds.to_rows(dataset, scheme, made)]
        merged = folds.merge(old, rows)
        if merged != old:
            write_atomically(project.folds_file, folds.to_csv(merged))
    return Cuts(dataset, cuts)
