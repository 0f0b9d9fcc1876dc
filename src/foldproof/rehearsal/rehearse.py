"""Rehearse experiments: try every step of a run on few images, and estimate the time of the complete run.

It writes into a folder aside, which goes when all is well; MLflow hears of it in an experiment of its own, and its runs
are deleted there. Runs, folds and comparisons do not notice.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from foldproof import folds, registry
from foldproof.config.read import ProjectSettings
from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, no_progress
from foldproof.events.types import EpochFinished, FoldStarted
from foldproof.executors import Executor
from foldproof.executors.stopping import Stopping
from foldproof.folds import Scheme
from foldproof.plan.make import make_plan
from foldproof.plan.models import measure
from foldproof.plan.options import ONLY_CHANGED, RunOptions
from foldproof.plan.preview import Preview, preview
from foldproof.plan.subset import pick_few
from foldproof.project import Project
from foldproof.records.store import RunStore
from foldproof.rehearsal.rehearsed import Rehearsed, Step
from foldproof.rehearsal.steps import Journal, steps_of, tracked
from foldproof.storage import locked
from foldproof.trackers import TrackingTarget
from foldproof.training_data.load import TrainingData, load_training_data
from foldproof.workflow import chosen, executor_for, run

MOST_IMAGES = 200
FIRST_FOLD = RunOptions(folds=frozenset({(0, 0)}), apart=True)
LEAST_SECONDS = 0.5  # of an estimate, to be held against what was measured


def rehearse(
    project: Project,
    loaded: ProjectSettings,
    *,
    names: Sequence[str] = (),
    target: TrackingTarget | None = None,
    allow_dirty: bool = False,
    progress: Progress = no_progress,
    stopping: Stopping,
) -> Rehearsed:
    """Rehearse the named experiments, or all. Raises what a run would raise before its first epoch."""
    home = project.home / ".foldproof"
    aside = replace(project, aside=home / "try")
    with locked(home / "try.lock", what="the folder of `run --try`"):
        shutil.rmtree(home / "try", ignore_errors=True)
        (home / "try").mkdir(exist_ok=True)
        try:
            rehearsed = _rehearse(project, aside, loaded, names, target, allow_dirty, progress, stopping)
        except BaseException:
            shutil.rmtree(home / "try", ignore_errors=True)
            raise
        if rehearsed.kept is None:
            shutil.rmtree(home / "try", ignore_errors=True)
    return rehearsed


def _rehearse(
    project: Project,
    aside: Project,
    loaded: ProjectSettings,
    names: Sequence[str],
    target: TrackingTarget | None,
    allow_dirty: bool,
    progress: Progress,
    stopping: Stopping,
) -> Rehearsed:
    configs = chosen(loaded.experiments, names)
    began = time.time()
    registry.make_named_importable(project.root, [loaded.settings.execution.executor])
    with executor_for(configs, loaded.settings.execution, stopping) as executor:
        training_data = load_training_data(project, loaded.settings, allow_dirty=allow_dirty, progress=progress)
        part = replace(training_data, dataset=pick_few(training_data.dataset, MOST_IMAGES))
        small = tuple(_cut_down(config, part) for config in configs)
        execution = loaded.settings.execution
        whole = _preview(project, configs, training_data, executor, execution, ONLY_CHANGED)
        expected = _preview(aside, small, part, executor, execution, FIRST_FOLD)
    target = (
        replace(target, experiment=f"{target.experiment}-try", artifacts=_beside(aside, target)) if target else None
    )
    looked = time.time()
    report = run(
        aside,
        replace(loaded, experiments=small),
        options=FIRST_FOLD,
        target=target,
        trackers=("mlflow",) if target else (),
        quiet=True,
        progress=progress,
        stopping=stopping,
        training_data=part,
    )
    ended = time.time()
    journals = [Journal(folder) for folder in report.statuses]
    steps = [
        Step("images inspected, models built", looked - began),
        *steps_of(journals, looked, with_report=target is not None),
    ]
    if target:
        steps.append(tracked(journals, target, report, since=max(j.last for j in journals), until=ended))
    well = not any(step.problem for step in steps)
    assert aside.aside is not None
    return Rehearsed(
        experiments=tuple(config.name for config in configs),
        images=len(part.dataset),
        steps=tuple(steps),
        whole=whole,
        seconds=_whole_seconds(whole, expected, journals),
        kept=None if well or stopping.asked else aside.aside,
        notices=training_data.notices,
    )


def _preview(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
    options: RunOptions,
) -> Preview:
    measured = measure(project, configs, training_data, executor, execution, options, writes_folds=False)
    return preview(make_plan(measured, RunStore.read(project.run_folders()), options))


def _cut_down(config: ExperimentConfig, part: TrainingData) -> ExperimentConfig:
    """One epoch, and as many folds as so few images allow."""
    _, scheme = folds.assign_at_most(part.dataset, Scheme(config.folds.k, config.folds.seed))
    return replace(
        config,
        folds=replace(config.folds, k=scheme.k, repeats=1, scheme=folds.STRATIFIED),
        train=replace(config.train, epochs=1),
    )


def _beside(aside: Project, target: TrackingTarget) -> Path | None:
    return aside.artifacts.absolute() if target.artifacts else None


def _whole_seconds(whole: Preview, expected: Preview, journals: Sequence[Journal]) -> float:
    """The estimate of the whole, corrected by what an epoch took against what it was expected to take."""
    took = {journal.record.experiment: journal.between(FoldStarted, EpochFinished) for journal in journals}
    thought = {plan.experiment: plan.seconds or 0.0 for plan in expected.plans}
    plans = []
    for plan in whole.plans:
        measured, estimate = took.get(plan.experiment), thought.get(plan.experiment, 0.0)
        factor = measured / estimate if measured is not None and estimate >= LEAST_SECONDS else 1.0
        plans.append(replace(plan, seconds=(plan.seconds or 0.0) * factor))
    return replace(whole, plans=tuple(plans)).seconds
