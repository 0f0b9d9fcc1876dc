"""Estimate the time and disk that a plan would take. Nothing is written or trained."""

import shutil
from dataclasses import asdict, dataclass
from typing import Any

from foldproof.events.types import Notice
from foldproof.plan.decide import Decision, New, Resume, UpToDate
from foldproof.plan.features import passes, seconds_left
from foldproof.plan.make import Plan
from foldproof.plan.planned import PlannedRun, plan_run
from foldproof.plan.warm_start import add_warm_starts
from foldproof.trackers import RunPlan
from foldproof.trackers.plan_shown import seconds_of


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


def preview(plan: Plan) -> Preview:
    """What carrying out a plan would take; models were built and timed, images are not decoded."""
    context = plan.context
    dataset = context.training_data.dataset
    planned = add_warm_starts(
        [_planned(decided) for decided in plan.decisions], context.splits, plan.models, plan.store, plan.options
    )
    forms = {decided.experiment.model.form for decided in plan.decisions}
    return Preview(
        plans=tuple(item.summary for item in planned),
        parallel_folds=plan.at_once,
        device=planned[0].device,
        images=len(dataset),
        decoded_bytes=sum(len(dataset) * form.image_bytes for form in forms),
        free_bytes=shutil.disk_usage(context.project.home).free,
        features_seconds=seconds_left(passes(plan.models, plan.to_train, dataset)) / plan.at_once,
        notices=(*context.training_data.notices, *context.notices),
    )


def _planned(decision: Decision) -> PlannedRun:
    """As `open_runs` would plan it, in a folder that is not there where it is new."""
    match decision:
        case New(experiment):
            folder = experiment.context.project.runs / experiment.name
            return plan_run(experiment, folder, decision.fold_ids)
        case Resume(experiment, run) | UpToDate(experiment, run):
            return plan_run(experiment, run.folder, decision.fold_ids, begun=run)
