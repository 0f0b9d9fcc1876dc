"""Preview a run: its plans, their time and their disk. Nothing is written or trained."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.pixels.fitted import Form
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.plan.beginnings import with_beginnings
from foldproof.plan.cuts import foresee_cuts
from foldproof.plan.decide import Decision, New, Resume, UpToDate
from foldproof.plan.features import passes, seconds_left
from foldproof.plan.make import make_plan
from foldproof.plan.options import ALL_ANEW, RunOptions
from foldproof.plan.planned import PlannedRun, plan_run
from foldproof.project import Project
from foldproof.records.store import RunStore
from foldproof.trackers import RunPlan
from foldproof.trackers.plan_shown import seconds_of
from foldproof.training_data.load import TrainingData


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The plans of a run, and what it needs. Sizes in bytes; `decoded_bytes` is what all images take once decoded.

    `features_seconds` is the time that frozen backbones take before the first fold, once for all that share them.
    """

    plans: tuple[RunPlan, ...]
    parallel_folds: int
    device: str
    images: int
    decoded_bytes: int
    free_bytes: int
    features_seconds: float
    notices: tuple[Notice, ...]

    @property
    def seconds(self) -> float:
        """The estimated time of all together."""
        return self.features_seconds + (seconds_of(self.plans, parallel_folds=self.parallel_folds) or 0.0)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        experiments = [
            {
                "experiment": plan.experiment,
                "folds": plan.folds * plan.repeats,
                "folds_finished": plan.finished,
                "epochs": plan.epochs,
                "goes_on_in": plan.goes_on or None,
                "begins_with": plan.begins_with or None,
                "epochs_of_others": plan.epochs_of_others,
                "seconds": plan.seconds,
                "bytes": plan.bytes,
            }
            for plan in self.plans
        ]
        whole = {key: value for key, value in asdict(self).items() if key not in ("plans", "notices")}
        notices = [{"code": notice.code, "text": notice.text} for notice in self.notices]
        return {"v": 1, **whole, "seconds": self.seconds, "experiments": experiments, "notices": notices}


def preview(
    project: Project,
    configs: Sequence[ExperimentConfig],
    training_data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
    *,
    options: RunOptions = ALL_ANEW,
) -> Preview:
    """What `prepare` and a training after it would do; models are built and timed, images are not decoded.

    Raises what `prepare` raises where an experiment cannot start, but for a lack of disk and for others who train it.
    """
    store = RunStore.read(project.run_folders())
    plan = make_plan(project, configs, training_data, executor, execution, store, options, cut_folds=foresee_cuts)
    cuts, dataset = plan.context.cuts, training_data.dataset
    planned = with_beginnings([_planned(one, project) for one in plan.decisions], cuts, plan.models, store, options)
    forms = {
        Form.of(one.experiment.config.pixels, size=one.experiment.model.probe.image_size, within=training_data.within)
        for one in plan.decisions
    }
    return Preview(
        plans=tuple(item.summary for item in planned),
        parallel_folds=plan.at_once,
        device=planned[0].device,
        images=len(dataset),
        decoded_bytes=sum(len(dataset) * form.image_bytes for form in forms),
        free_bytes=shutil.disk_usage(project.home).free,
        features_seconds=seconds_left(passes(plan.models, plan.to_train, dataset)) / plan.at_once,
        notices=(*training_data.notices, *plan.context.notices),
    )


def _planned(decision: Decision, project: Project) -> PlannedRun:
    """As `open_run` would plan it, in a folder that is not there where it is new."""
    match decision:
        case New(experiment):
            return plan_run(experiment, project.runs / experiment.name, decision.fold_ids)
        case Resume(experiment, run) | UpToDate(experiment, run):
            return plan_run(experiment, run.folder, decision.fold_ids, begun=run)
