"""Split the images into the folds that experiments ask for, and keep folds.csv up to date."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from foldproof import folds
from foldproof.config.schema import ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.events.types import Notice
from foldproof.folds import Assignment, Row, Scheme
from foldproof.project import Project
from foldproof.storage import locked, read_text, write_atomically
from foldproof.storage.limits import FOLDS_BYTES


@dataclass(frozen=True)
class WrittenFolds:
    """Folds as a run's folder has them: the digest, and the content of folds.csv."""

    digest: str
    table: str


@dataclass(frozen=True)
class Splits:
    """Every partition that a run's experiments ask for, and what is written of them: made once, for all experiments."""

    dataset: Dataset
    assignments: Mapping[tuple[Scheme, int], Assignment]
    _written: dict[tuple[Scheme, int], WrittenFolds] = field(default_factory=dict, repr=False, compare=False)

    def of(self, config: ExperimentConfig) -> tuple[Assignment, ...]:
        """The partitions of one experiment, one a repeat."""
        scheme = scheme_of(config)
        return tuple(self.assignments[scheme, repeat] for repeat in range(config.folds.repeats))

    def notices(self, config: ExperimentConfig) -> tuple[Notice, ...]:
        """Notices about an experiment's folds: images that had one and now have another, and gaps."""
        moved = [made.moved for made in self.of(config) if made.moved]
        if not moved:
            return tuple(self._gaps(config))
        total = sum(moved)
        where = f", in {len(moved)} of {config.folds.repeats} repeats" if config.folds.repeats > 1 else ""
        text = f"{total} image{'s' if total > 1 else ''} moved to another fold{where}: new images join their groups"
        return (Notice(code="folds", text=text),)

    def _gaps(self, config: ExperimentConfig) -> Iterator[Notice]:
        """Folds that the data define may validate on no image of some class, or leave images out."""
        if config.folds.scheme == folds.STRATIFIED:
            return
        (made,) = self.of(config)
        if made.told:
            yield Notice(code="folds", text=made.told)
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
            rows = [row for assignment in made for row in folds.make_rows(self.dataset, key[0], assignment)]
            self._written[key] = WrittenFolds(folds.digest(self.dataset, made), folds.to_csv(sorted(rows)))
        return self._written[key]

    @cached_property
    def dataset_json(self) -> bytes:
        return json.dumps(self.dataset.to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def scheme_of(config: ExperimentConfig) -> Scheme:
    return Scheme(config.folds.k, config.folds.seed, config.folds.scheme)


def split(
    project: Project,
    dataset: Dataset,
    configs: Iterable[ExperimentConfig],
    predefined: Mapping[Scheme, Assignment] = MappingProxyType({}),
) -> Splits:
    """Make every partition that `configs` ask for, keeping the rows of folds.csv, and bring folds.csv up to date.

    `predefined`: the folds that the data say.
    """
    with locked(project.root / ".foldproof" / "folds.lock", what="folds.csv", wait_seconds=60.0):
        old = _written_before(project)
        splits = _split(dataset, configs, old, predefined)
        rows = [
            row for (scheme, _), made in splits.assignments.items() for row in folds.make_rows(dataset, scheme, made)
        ]
        merged = folds.merge(old, rows)
        if merged != old:
            write_atomically(project.folds_file, folds.to_csv(merged))
    return splits


def preview_splits(
    project: Project,
    dataset: Dataset,
    configs: Iterable[ExperimentConfig],
    predefined: Mapping[Scheme, Assignment] = MappingProxyType({}),
) -> Splits:
    """The partitions that `split` would make now; nothing is written."""
    return _split(dataset, configs, _written_before(project), predefined)


def _written_before(project: Project) -> list[Row]:
    try:
        text = read_text(project.folds_file, most_bytes=FOLDS_BYTES)
    except FileNotFoundError:
        return []
    return folds.from_csv(text) if text else []


def _split(
    dataset: Dataset, configs: Iterable[ExperimentConfig], old: list[Row], predefined: Mapping[Scheme, Assignment]
) -> Splits:
    wanted = dict.fromkeys((scheme_of(config), repeat) for config in configs for repeat in range(config.folds.repeats))
    made = {
        (scheme, repeat): predefined[scheme]
        if scheme in predefined
        else folds.assign(dataset, scheme, repeat=repeat, known=folds.known_folds(old, scheme, repeat))
        for scheme, repeat in wanted
    }
    return Splits(dataset, made)
