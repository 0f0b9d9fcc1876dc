"""Runs about to begin or go on: an experiment and what it stands on in; its folder described, its tasks ready, out."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from foldproof.config.identity import canonical, canonical_json, experiment_identity
from foldproof.config.recorded import full_settings
from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.data.checks.card import DATA_CARD, DATA_CARD_PAGE, as_markdown
from foldproof.data.dataset import Dataset
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.events.reuse import in_words
from foldproof.events.types import Notice
from foldproof.material.gather import Material
from foldproof.plan.cuts import Cuts
from foldproof.plan.earlier import refuse_worked_on
from foldproof.plan.features import plain_path
from foldproof.plan.room import kept_bytes
from foldproof.plan.tasks import Model, estimated_seconds, tasks
from foldproof.project import Project
from foldproof.records.facts import HELD_OUT, Reseed
from foldproof.records.record import SCHEMA_VERSION
from foldproof.records.store import StoredRun
from foldproof.storage import read_json_inside, redact_uris, write_atomically
from foldproof.trackers import RunPlan
from foldproof.training.task import FoldTask

_MOST_BYTES = 4 * 2**30


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What all runs of one invocation stand on. `shared`: others may train other folds of the same runs meanwhile."""

    project: Project
    material: Material
    cuts: Cuts
    environment: Mapping[str, Any]
    code_diff: bytes
    execution: ExecutionConfig
    compare: CompareSettings = field(default_factory=CompareSettings)
    shared: bool
    notices: tuple[Notice, ...]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A run whose folder is described and whose tasks are ready; `begun` is what it was before, if anything."""

    folder: Path
    config: ExperimentConfig
    identity: str
    fingerprint: str
    tasks: tuple[FoldTask, ...]
    seconds: float
    bytes: int
    begun: StoredRun | None
    shared: bool
    notices: tuple[Notice, ...]

    device: str

    @property
    def run(self) -> str:
        return self.folder.name

    @property
    def lacks_its_end(self) -> bool:
        """Whether all folds had finished when the run was killed, and it was not recorded any more."""
        return self.begun is not None and self.begun.lacks_its_end

    @property
    def begins_with(self) -> str:
        """`2 epochs of FirstRun`, the first of most folds that are to be trained; empty where all epochs are."""
        return in_words((task.beginnings[0].reuse for task in self.tasks if task.beginnings), folds=len(self.tasks))

    @property
    def has_work(self) -> bool:
        """Whether something is to be trained or recorded."""
        return bool(self.tasks) or self.lacks_its_end

    @property
    def summary(self) -> RunPlan:
        view = {task.fold_id for task in self.tasks}
        record = self.begun.record if self.begun else None
        finished = () if record is None or self.shared else tuple(record.finished)
        told = {} if record is None else {fold_id: record.epochs.get(fold_id, ()) for fold_id in view.union(finished)}
        return RunPlan(
            run=self.run,
            experiment=self.config.name,
            folds=len(view) + len(finished),
            repeats=1,
            epochs=self.config.train.epochs,
            epochs_done=sum(map(len, told.values())),
            accuracies=tuple(told[fold_id][-1].val_accuracy for fold_id in finished),
            seconds=self.seconds,
            finished=len(finished),
            goes_on=self.run if self.begun else "",
            bytes=self.bytes,
            begins_with=self.begins_with,
            epochs_of_others=sum(task.epochs_of_others for task in self.tasks),
        )


def facts_of(config: ExperimentConfig, ground: Ground, model: Model) -> dict[str, Any]:
    """What the experiment is: the content of run.json but for the run's own id and time."""
    dataset = ground.material.dataset
    folds_digest = ground.cuts.written(config).digest
    return {
        "v": SCHEMA_VERSION,
        "experiment": config.name,
        "identity": experiment_identity(
            config, fingerprint=dataset.fingerprint, folds_digest=folds_digest, within=model.within
        ),
        "fingerprint": dataset.fingerprint,
        "folds_digest": folds_digest,
        "classes": list(dataset.classes),
        "images": len(dataset),
        "data_path": ground.material.path,
        "image_size": model.probe.image_size,
        **({} if model.within is None else {"range": model.within._asdict()}),
        "config": canonical(config),
        "settings": full_settings(config, ground.execution, ground.compare),
        **({"held_out": ground.material.held_out.fingerprint} if len(ground.material.held_out) else {}),
    }


def plan_anew(
    config: ExperimentConfig,
    ground: Ground,
    model: Model,
    wanted: Iterable[FoldId],
    earlier: Mapping[str, str],
    *,
    notices: Iterable[Notice] = (),
    reseed: Reseed | None = None,
) -> Planned:
    """Make a run's folder and describe the run in it; run.json comes last. `earlier`: as `RunStore.earlier`.

    Raises StorageError.
    """
    facts = facts_of(config, ground, model)
    folder = ground.project.new_run_folder()
    write_atomically(folder / "dataset.json", ground.cuts.dataset_json + b"\n")
    write_atomically(folder / "folds.csv", ground.cuts.written(config).table)
    if len(ground.material.held_out):
        _write_json(folder / HELD_OUT, ground.material.held_out.to_json())
    if ground.material.card:
        _write_json(folder / DATA_CARD, ground.material.card)
        write_atomically(folder / DATA_CARD_PAGE, as_markdown(ground.material.card))
    if ground.code_diff:
        write_atomically(folder / "code.diff", redact_uris(ground.code_diff))
    _write_json(folder / "environment.json", _environment(ground, model))
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    again = {"reseed_of": asdict(reseed)} if reseed else {}
    _write_json(folder / "run.json", {**facts, **again, "before": earlier, "run": folder.name, "created": created})
    return planned_in(config, ground, model, folder, wanted, notices=(*notices, *ground.cuts.notices(config)))


def plan_on(
    config: ExperimentConfig, ground: Ground, model: Model, begun: StoredRun, wanted: Iterable[FoldId]
) -> Planned:
    """Go on with a run: those of the folds `wanted` that have not finished. Its folder gets one more environment.

    Raises StorageError where somebody trains one of them, DamagedFile where the run is not as it was written.
    """
    left = [fold_id for fold_id in wanted if fold_id not in begun.record.finished]
    if not left:
        text = f"{config.name}: nothing to do, run {begun.run} has {begun.share}"
        done = Notice(code="done", text=text)
        return planned_in(config, ground, model, begun.folder, left, begun=begun, notices=[done])
    refuse_other_manifest(begun)
    refuse_worked_on(begun, left, shared=ground.shared)
    environment = _environment(ground, model)
    text = f"{config.name} goes on in run {begun.run}: {begun.share}"
    notices = [Notice(code="goes_on", text=text), *other_arithmetic(read_environment(begun.folder), environment)]
    number = 2 + len(list(begun.folder.glob("environment-*.json")))
    _write_json(begun.folder / f"environment-{number}.json", environment)
    return planned_in(config, ground, model, begun.folder, left, begun=begun, notices=notices)


def other_arithmetic(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Notice, ...]:
    """What a person should know of a run that goes on in another numeric class than it was begun in."""
    changed = changed_arithmetic(then, now)
    if not changed:
        return ()
    text = (
        f"this run was begun under another arithmetic ({', '.join(changed)}): finished folds stay as they are, "
        "folds that were cut off begin anew; for the same bits throughout, start anew with `foldproof run`"
    )
    return (Notice(code="other_arithmetic", text=text),)


def changed_arithmetic(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The fields of the numeric class in which two environments differ."""
    old, new = (json.loads(canonical_json(side.get("numeric_class") or {})) for side in (then, now))
    return [name for name in new if old.get(name) != new[name]]


def planned_in(
    config: ExperimentConfig,
    ground: Ground,
    model: Model,
    folder: Path,
    wanted: Iterable[FoldId],
    *,
    begun: StoredRun | None = None,
    notices: Iterable[Notice] = (),
) -> Planned:
    """The folds `wanted` of an experiment, as work for `folder`; nothing is written."""
    facts = facts_of(config, ground, model)
    work = tasks(
        config,
        ground.cuts,
        model,
        folder=folder,
        identity=facts["identity"],
        checkpoint_seconds=60 * ground.execution.checkpoint_every,
        cuda_graphs=ground.execution.cuda_graphs,
        wanted=wanted,
    )
    return Planned(
        folder=folder,
        config=config,
        identity=facts["identity"],
        fingerprint=facts["fingerprint"],
        tasks=work,
        bytes=kept_bytes(model, len(work)),
        seconds=sum(
            estimated_seconds(task, model.probe, images=0 if model.featured else facts["images"]) for task in work
        ),
        begun=begun,
        shared=ground.shared,
        notices=(*ground.notices, *plain_path(config), *notices) if work else tuple(notices),
        device=model.probe.device,
    )


def _environment(ground: Ground, model: Model) -> dict[str, Any]:
    return {**ground.environment, "numeric_class": asdict(model.probe.numeric_class)}


def _write_json(path: Path, content: Any) -> None:
    write_atomically(path, canonical_json(content) + b"\n")


def read_environment(folder: Path) -> dict[str, Any]:
    """The content of a run's environment.json, nothing where there is none. Raises DamagedFile."""
    try:
        return read_json_inside(folder, "environment.json", most_bytes=_MOST_BYTES)
    except FileNotFoundError:
        return {}


def refuse_other_manifest(begun: StoredRun) -> None:
    """Raises DamagedFile where dataset.json is not the one that the run was begun with."""
    try:
        manifest = read_json_inside(begun.folder, "dataset.json", most_bytes=_MOST_BYTES)
    except FileNotFoundError:
        manifest = {}
    if Dataset.from_json(manifest).fingerprint != begun.facts["fingerprint"]:
        raise DamagedFile(
            f"{begun.folder / 'dataset.json'} is not of this run",
            next_step="restore it, or start anew with `foldproof run`",
        )
