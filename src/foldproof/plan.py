"""What will run: settings, images and folds in, run folders and fold tasks out."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof import folds
from foldproof.config.identity import canonical, canonical_json, digest, experiment_identity
from foldproof.config.schema import ExperimentConfig
from foldproof.data.checks.card import DATA_CARD, DATA_CARD_PAGE, as_markdown
from foldproof.data.dataset import Dataset
from foldproof.events.types import Notice
from foldproof.folds import Assignment, Fold, Scheme
from foldproof.material import Material
from foldproof.project import Project
from foldproof.record import SCHEMA_VERSION, fold_folder
from foldproof.storage import locked, redact_uris, write_atomically
from foldproof.trackers import RunPlan
from foldproof.training.chunks import batch_sizes
from foldproof.training.task import FoldTask, ModelRequest, Probe


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
        """What a person should know of an experiment's folds: whether images that had one now have another."""
        moved = [made.moved for made in self.of(config) if made.moved]
        if not moved:
            return ()
        total = sum(moved)
        where = f", in {len(moved)} of {config.folds.repeats} repeats" if config.folds.repeats > 1 else ""
        text = f"{total} image{'s' if total > 1 else ''} moved to another fold{where}: new images join their groups"
        return (Notice(code="folds", text=text),)

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


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A run about to begin: its folder is made and described, its tasks are ready."""

    folder: Path
    config: ExperimentConfig
    identity: str
    fingerprint: str
    tasks: tuple[FoldTask, ...]
    seconds: float
    notices: tuple[Notice, ...] = ()  # of its folds

    @property
    def run(self) -> str:
        return self.folder.name

    @property
    def summary(self) -> RunPlan:
        return RunPlan(
            run=self.run,
            experiment=self.config.name,
            folds=self.config.folds.k,
            repeats=self.config.folds.repeats,
            epochs=self.config.train.epochs,
            seconds=self.seconds,
        )


def scheme_of(config: ExperimentConfig) -> Scheme:
    return Scheme(config.folds.k, config.folds.seed)


def cut(project: Project, dataset: Dataset, configs: Iterable[ExperimentConfig]) -> Cuts:
    """Cut every partition that `configs` ask for, keeping what folds.csv has, and bring folds.csv up to date."""
    wanted = dict.fromkeys((scheme_of(config), repeat) for config in configs for repeat in range(config.folds.repeats))
    with locked(project.root / ".foldproof" / "folds.lock", what="folds.csv", wait_seconds=60.0):
        old_text = project.folds_file.read_bytes().decode("utf-8") if project.folds_file.exists() else ""
        old = folds.from_csv(old_text) if old_text else []
        cuts = {
            (scheme, repeat): folds.assign(dataset, scheme, repeat=repeat, known=folds.known_folds(old, scheme, repeat))
            for scheme, repeat in wanted
        }
        rows = [row for (scheme, _), made in cuts.items() for row in folds.to_rows(dataset, scheme, made)]
        merged = folds.merge(old, rows)
        if merged != old:
            write_atomically(project.folds_file, folds.to_csv(merged))
    return Cuts(dataset, cuts)


def plan_run(
    config: ExperimentConfig,
    *,
    project: Project,
    material: Material,
    cuts: Cuts,
    request: ModelRequest,
    probe: Probe,
    images: Path,
    environment: Mapping[str, Any],
    code_diff: bytes,
) -> Planned:
    """Make the run's folder, describe the run in it, and cut the work into tasks. Raises StorageError."""
    dataset = material.dataset
    folds_digest = cuts.written(config).digest
    identity = experiment_identity(config, fingerprint=dataset.fingerprint, folds_digest=folds_digest)
    folder = project.new_run_folder()
    facts = {
        "v": SCHEMA_VERSION,
        "run": folder.name,
        "experiment": config.name,
        "identity": identity,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "fingerprint": dataset.fingerprint,
        "folds_digest": folds_digest,
        "classes": list(dataset.classes),
        "images": len(dataset),
        "data_path": material.path,
        "image_size": probe.image_size,
        "config": canonical(config),
    }
    write_atomically(folder / "dataset.json", cuts.dataset_json + b"\n")
    write_atomically(folder / "folds.csv", cuts.written(config).table)
    _write_json(folder / DATA_CARD, material.card)
    write_atomically(folder / DATA_CARD_PAGE, as_markdown(material.card))
    if code_diff:
        write_atomically(folder / "code.diff", redact_uris(code_diff))
    _write_json(folder / "environment.json", {**environment, "numeric_class": asdict(probe.numeric_class)})
    _write_json(folder / "run.json", facts)
    tasks = tuple(
        _task(
            config,
            dataset,
            fold,
            folder=folder,
            identity=identity,
            request=request,
            probe=probe,
            images=images,
        )
        for made in cuts.of(config)
        for fold in made.folds(config.folds.k)
    )
    return Planned(
        folder=folder,
        config=config,
        identity=identity,
        fingerprint=dataset.fingerprint,
        tasks=tasks,
        seconds=sum(estimated_seconds(task, probe, images=len(dataset)) for task in tasks),
        notices=cuts.notices(config),
    )


def _task(
    config: ExperimentConfig,
    dataset: Dataset,
    fold: Fold,
    *,
    folder: Path,
    identity: str,
    request: ModelRequest,
    probe: Probe,
    images: Path,
) -> FoldTask:
    return FoldTask(
        run=folder.name,
        repeat=fold.repeat,
        fold=fold.index,
        identity=identity,
        fold_key=fold_key(config, dataset, fold, probe),
        model=replace(request, device=probe.device),
        pixels=config.pixels,
        train=config.train,
        image_size=probe.image_size,
        dataset=folder / "dataset.json",
        images=images,
        train_positions=fold.train,
        validation_positions=fold.validation,
        folder=fold_folder(folder, fold.repeat, fold.index),
    )


def fold_key(config: ExperimentConfig, dataset: Dataset, fold: Fold, probe: Probe) -> str:
    """What decides whether one fold's result can stand for another: settings, images, split and numeric class."""
    return digest(
        {
            "pixels": config.pixels,
            "train": config.train,
            "image_size": probe.image_size,
            "fingerprint": dataset.fingerprint,
            "repeat": fold.repeat,
            "fold": fold.index,
            "validation": folds.split_digest(dataset, fold),
            "numeric_class": probe.numeric_class,
        }
    )


def estimated_seconds(task: FoldTask, probe: Probe, *, images: int) -> float:
    """Time of one fold from the probe's measurements, alone on its cores."""
    steps = task.train.epochs * len(batch_sizes(len(task.train_positions), task.train.batch_size))
    if task.train.freeze_backbone:
        return images * probe.seconds_per_image + steps * probe.seconds_per_step
    scored = task.train.epochs * len(task.validation_positions)
    return steps * probe.seconds_per_step + scored * probe.seconds_per_image


def _write_json(path: Path, content: Any) -> None:
    write_atomically(path, canonical_json(content) + b"\n")


def read_environment(folder: Path) -> dict[str, Any]:
    """The content of a run's environment.json."""
    content = json.loads((folder / "environment.json").read_bytes())
    assert isinstance(content, dict)
    return content
