"""What a run would do: experiments and images in; plans with their time and disk out. Nothing is written or trained."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.data.pixels.fitted import Form
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.material.gather import Material
from foldproof.plan.again import only_fold, refuse_many, reseeded
from foldproof.plan.arithmetic import arithmetic_notices
from foldproof.plan.beginnings import with_beginnings
from foldproof.plan.cuts import foresee_cuts
from foldproof.plan.earlier import refuse_other_settings
from foldproof.plan.extent import ALL_ANEW, Extent
from foldproof.plan.features import passes, seconds_left
from foldproof.plan.given import as_the_data_say
from foldproof.plan.models import modelled
from foldproof.plan.room import memory_notices
from foldproof.plan.runs import Ground, facts_of, planned_in
from foldproof.plan.tasks import select
from foldproof.plan.whole import found_whole
from foldproof.project import Project
from foldproof.records.store import RunStore
from foldproof.trackers import RunPlan
from foldproof.trackers.plan_shown import seconds_of


@dataclass(frozen=True, kw_only=True)
class Foreseen:
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


def foresee(
    project: Project,
    configs: Sequence[ExperimentConfig],
    material: Material,
    executor: Executor,
    execution: ExecutionConfig,
    *,
    extent: Extent = ALL_ANEW,
) -> Foreseen:
    """What `prepare` and a training after it would do; models are built and timed, images are not decoded.

    Raises what `prepare` raises where an experiment cannot start, but for a lack of disk and for others who train it.
    """
    dataset = material.dataset
    if extent.reseed:
        refuse_many(configs)
    configs, said = as_the_data_say(configs, material, project)
    wanted = {config.name: select(config, extent.folds) for config in configs}
    cuts = foresee_cuts(project, dataset, configs, said)
    models = modelled(project, configs, material, executor, execution)
    work = [(models[config.name], len(wanted[config.name])) for config in configs]
    at_once = executor.parallel_folds(work[0][0].probe.device)
    ground = Ground(
        project=project,
        material=material,
        cuts=cuts,
        environment={},
        code_diff=b"",
        execution=execution,
        shared=extent.shares,
        notices=(*memory_notices(work, at_once=at_once), *arithmetic_notices(model for model, _ in work)),
    )
    store = RunStore.read(project.run_folders())
    whole = found_whole(configs, ground, models, store) if extent.skips_done else {}
    to_train = [config for config in configs if config.name not in whole]
    if extent.reseed:
        (config,) = configs
        place = only_fold(config, wanted[config.name])
        configs = [reseeded(config, ground, models[config.name], place, store)[0]]
    planned = []
    for config in configs:
        model, places = models[config.name], wanted[config.name]
        facts = facts_of(config, ground, model)
        run = whole.get(config.name)
        if extent.joins:
            run = store.find_resumable(identity=facts["identity"], wanted=places)
        if run is None and extent.resume:
            refuse_other_settings(store, experiment=config.name, facts=facts)
        left = places if run is None else [place for place in places if place not in run.record.finished]
        folder = run.folder if run else project.runs / config.name
        planned.append(planned_in(config, ground, model, folder, left, begun=run))
    if extent.reuse and not extent.reseed:
        planned = [*with_beginnings(planned, cuts, models, () if extent.again else store.of_experiments)]
    forms = {
        Form.of(config.pixels, size=models[config.name].probe.image_size, within=material.within) for config in configs
    }
    return Foreseen(
        plans=tuple(item.summary for item in planned),
        parallel_folds=at_once,
        device=work[0][0].probe.device,
        images=len(dataset),
        decoded_bytes=sum(len(dataset) * form.image_bytes for form in forms),
        free_bytes=shutil.disk_usage(project.home).free,
        features_seconds=seconds_left(passes(models, to_train, dataset)) / at_once,
        notices=(*material.notices, *ground.notices),
    )
