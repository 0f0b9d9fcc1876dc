"""From settings and images to runs that can start: everything that can be wrong is found before the first epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, unheard
from foldproof.environment import circumstances
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.executors import Executor
from foldproof.material.gather import Material
from foldproof.plan.again import again, only_fold, refuse_many
from foldproof.plan.arithmetic import arithmetic_notices
from foldproof.plan.beginnings import with_beginnings
from foldproof.plan.cuts import Cuts, cut
from foldproof.plan.earlier import left_over, refuse_other_settings
from foldproof.plan.extent import ALL_ANEW, Extent
from foldproof.plan.features import carried_out, passes, with_stores
from foldproof.plan.given import as_the_data_say
from foldproof.plan.models import modelled, with_images
from foldproof.plan.room import check_disk, memory_notices
from foldproof.plan.runs import Ground, Planned, facts_of, plan_anew, plan_on
from foldproof.plan.tasks import Model, select
from foldproof.plan.uncommitted import secret_notices
from foldproof.plan.whole import changes, found_whole, plan_whole
from foldproof.project import WRITTEN, Project
from foldproof.provenance.git import git_state
from foldproof.records.store import RunStore
from foldproof.storage import locked

JOINING_SECONDS = 60.0
DEFAULT_COMPARE = CompareSettings()


def prepare(
    project: Project,
    configs: Sequence[ExperimentConfig],
    material: Material,
    executor: Executor,
    execution: ExecutionConfig,
    *,
    compare: CompareSettings = DEFAULT_COMPARE,
    extent: Extent = ALL_ANEW,
    tags: Mapping[str, str] | None = None,
    progress: Progress = unheard,
) -> tuple[Planned, ...]:
    """Everything that can be wrong is found here, before the first epoch; nothing is written but caches and folds.csv
    until it is known that every experiment can start.
    """
    dataset = material.dataset
    if extent.reseed:
        refuse_many(configs)
    configs, said = as_the_data_say(configs, material, project)
    wanted = {config.name: select(config, extent.folds) for config in configs}
    cuts = cut(project, dataset, configs, said)
    models = modelled(project, configs, material, executor, execution)
    work = [(models[config.name], len(wanted[config.name])) for config in configs]
    at_once = executor.parallel_folds(work[0][0].probe.device)
    code = git_state(project.root, apart_from=(project.folds_file.name, *WRITTEN))
    ground = Ground(
        project=project,
        material=material,
        cuts=cuts,
        environment=circumstances(project, code, material.version, tags or {}),
        code_diff=code.diff if code else b"",
        execution=execution,
        compare=compare,
        shared=extent.shares,
        notices=(
            *memory_notices(work, at_once=at_once),
            *arithmetic_notices(model for model, _ in work),
            *secret_notices(code.diff if code else b""),
        ),
    )
    store = RunStore.read(project.run_folders())
    there = found_whole(configs, ground, models, store) if extent.skips_done else {}
    done = {c.name for c in configs if extent.joins and is_done(c, ground, models[c.name], wanted[c.name], store)}
    to_train = [config for config in configs if config.name not in {*there, *done}]
    models, undecoded = with_images(
        models, to_train, project=project, material=material, execution=execution, progress=progress
    )
    shared = passes(models, to_train, dataset)
    unkept = carried_out(shared, executor, progress=partial(progress, "computing features"))
    if unkept:
        models = with_stores(models, project, execution, shared=False)
    ground = replace(ground, notices=(*ground.notices, *undecoded, *unkept))
    if extent.reseed:
        check_disk(project.runs, work, at_once=at_once)
        (config,) = configs
        return (again(config, ground, models[config.name], only_fold(config, wanted[config.name]), store),)
    if not extent.joins:
        if to_train:
            check_disk(project.runs, [(models[c.name], len(wanted[c.name])) for c in to_train], at_once=at_once)
        planned = tuple(
            plan_whole(c, ground, models[c.name], there[c.name], store)
            if c.name in there
            else anew(c, ground, models[c.name], wanted[c.name], store, extent)
            for c in configs
        )
        return (
            with_beginnings(planned, cuts, models, () if extent.again else store.of_experiments)
            if extent.reuse
            else planned
        )
    with locked(project.home / ".foldproof" / "runs.lock", what="the list of runs", wait_seconds=JOINING_SECONDS):
        earlier, store = store, RunStore.read(project.run_folders())
        planned = tuple(
            join(c, ground, models[c.name], wanted[c.name], earlier if c.name in done else store, extent)
            for c in configs
        )
    left = [(models[item.config.name], len(item.tasks)) for item in planned]
    check_disk(project.runs, left, at_once=at_once)
    return (
        with_beginnings(planned, cuts, models, () if extent.again else store.of_experiments)
        if extent.reuse
        else planned
    )


def _reusing(
    planned: Sequence[Planned], cuts: Cuts, models: Mapping[str, Model], store: RunStore, extent: Extent
) -> tuple[Planned, ...]:
    if not extent.reuse:
        return tuple(planned)
    return with_beginnings(planned, cuts, models, () if extent.again else store.of_experiments)


def is_done(config: ExperimentConfig, ground: Ground, model: Model, wanted: Sequence[FoldId], store: RunStore) -> bool:
    """Whether the run to go on with has all the folds `wanted` already."""
    run = store.find_resumable(identity=facts_of(config, ground, model)["identity"], wanted=wanted)
    return run is not None and set(wanted) <= run.record.finished.keys()


def anew(
    config: ExperimentConfig,
    ground: Ground,
    model: Model,
    wanted: Sequence[FoldId],
    store: RunStore,
    extent: Extent,
) -> Planned:
    """A new run, which says where one of the same experiment goes on or was cut off, or what is not as it was."""
    facts = facts_of(config, ground, model)
    notices = left_over(store, identity=facts["identity"])
    if not extent.again:
        notices += changes(store, facts=facts, numeric_class=model.probe.numeric_class)
    return plan_anew(config, ground, model, wanted, _earlier(store, config, facts), notices=notices)


def join(
    config: ExperimentConfig,
    ground: Ground,
    model: Model,
    wanted: Sequence[FoldId],
    store: RunStore,
    extent: Extent,
) -> Planned:
    """A run of the experiment that lacks some of the folds `wanted`, or a new one."""
    facts = facts_of(config, ground, model)
    run = store.find_resumable(identity=facts["identity"], wanted=wanted)
    if run is not None:
        return plan_on(config, ground, model, run, wanted)
    if not extent.resume:
        return plan_anew(config, ground, model, wanted, _earlier(store, config, facts))
    refuse_other_settings(store, experiment=config.name, facts=facts)
    text = f"{config.name}: there is no run of these settings, images and folds to go on with, so it begins"
    notices = [Notice(code="begins", text=text)]
    return plan_anew(config, ground, model, wanted, _earlier(store, config, facts), notices=notices)


def _earlier(store: RunStore, config: ExperimentConfig, facts: Mapping[str, Any]) -> Mapping[str, str]:
    return store.earlier(experiment=config.name, identity=facts["identity"])
