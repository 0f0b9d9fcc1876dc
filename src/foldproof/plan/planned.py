"""Describe a run whose tasks are ready, with its cost and notices. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foldproof.config.schema import ExperimentConfig
from foldproof.events.fold_id import FoldId
from foldproof.events.reuse import describe_reuse
from foldproof.events.types import Notice
from foldproof.plan.experiment import ExperimentPlan
from foldproof.plan.features import plain_path
from foldproof.plan.room import kept_bytes
from foldproof.plan.tasks import estimated_seconds, tasks
from foldproof.records.store import StoredRun
from foldproof.trackers import RunPlan
from foldproof.training.task import FoldTask


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run whose tasks are ready; `begun` is what it was before, if anything. Seconds and bytes are estimates."""

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
    def missing_end(self) -> bool:
        """Whether all folds had finished when the run was killed, and it was not recorded any more."""
        return self.begun is not None and self.begun.missing_end

    @property
    def begins_with(self) -> str:
        """`2 epochs of FirstRun`, the first of most folds that are to be trained; empty where all epochs are."""
        return describe_reuse(
            (task.warm_starts[0].reuse for task in self.tasks if task.warm_starts), folds=len(self.tasks)
        )

    @property
    def has_work(self) -> bool:
        """Whether something is to be trained or recorded."""
        return bool(self.tasks) or self.missing_end

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


def plan_run(
    experiment: ExperimentPlan,
    folder: Path,
    wanted: Iterable[FoldId],
    *,
    begun: StoredRun | None = None,
    notices: Iterable[Notice] = (),
) -> PlannedRun:
    """The folds `wanted` of an experiment, as work for `folder`; nothing is written."""
    context, model = experiment.context, experiment.model
    work = tasks(
        experiment.config,
        context.splits,
        model,
        folder=folder,
        identity=experiment.identity,
        keys=experiment.fold_keys,
        checkpoint_seconds=60 * context.execution.checkpoint_every,
        cuda_graphs=context.execution.cuda_graphs,
        wanted=wanted,
    )
    images = 0 if model.featured else len(context.training_data.dataset)
    return PlannedRun(
        folder=folder,
        config=experiment.config,
        identity=experiment.identity,
        fingerprint=context.training_data.dataset.fingerprint,
        tasks=work,
        bytes=kept_bytes(model, len(work)),
        seconds=sum(estimated_seconds(task, model.probe, images=images) for task in work),
        begun=begun,
        shared=context.shared,
        notices=(*context.notices, *plain_path(experiment.config), *notices) if work else tuple(notices),
        device=model.probe.device,
    )
