"""What has run whole: runs and experiments in; the run that stands for each, or what has changed since, out."""

from collections.abc import Iterable, Mapping
from typing import Any

from foldproof.config.schema import ExperimentConfig
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.plan.earlier import difference
from foldproof.plan.runs import Ground, Planned, changed_arithmetic, facts_of, planned_in, read_environment
from foldproof.plan.tasks import Model, fold_keys
from foldproof.records.store import RunStore, StoredRun


def found_whole(
    configs: Iterable[ExperimentConfig], ground: Ground, models: Mapping[str, Model], store: RunStore
) -> dict[str, StoredRun]:
    """By the name of an experiment the newest run of this name and identity of which every fold has finished under
    the FoldKey that it has now.
    """
    found = {}
    for config in configs:
        identity = facts_of(config, ground, models[config.name])["identity"]
        same = [run for run in store.named(config.name) if run.identity == identity]
        keys = fold_keys(config, ground.cuts, models[config.name]) if same else {}
        whole = next((run for run in reversed(same) if _is_whole(run, keys)), None)
        if whole is not None:
            found[config.name] = whole
    return found


def _is_whole(run: StoredRun, keys: Mapping[FoldId, str]) -> bool:
    try:
        return run.record.complete and run.record.fold_keys == keys and not run.worked_on_by(keys)
    except DamagedFile:
        return False


def plan_whole(config: ExperimentConfig, ground: Ground, model: Model, run: StoredRun, store: RunStore) -> Planned:
    """Nothing to do, as `run` stands for the experiment; but for its end, should that not be recorded."""
    text = f"{config.name}: nothing to train, run {run.run} is the same; --again repeats it"
    newest = store.newest(config.name)
    if newest is not None and newest.run != run.run:
        is_alike = newest.identity == run.identity
        text += f" (run {newest.run} is newer, and {'not complete' if is_alike else 'otherwise'})"
    return planned_in(config, ground, model, run.folder, (), begun=run, notices=[Notice(code="done", text=text)])


def changes(store: RunStore, *, facts: Mapping[str, Any], numeric_class: object) -> tuple[Notice, ...]:
    """In what an experiment differs from the newest run of its name; nothing where it is new, or was cut off."""
    newest = store.newest(facts["experiment"])
    if newest is None:
        return ()
    said = difference(newest.facts, facts)
    try:
        if not said and newest.record.complete:
            names = changed_arithmetic(read_environment(newest.folder), {"numeric_class": numeric_class})
            said = f"the arithmetic is another ({', '.join(names)})" if names else ""
    except DamagedFile:
        return ()
    text = f"{newest.experiment} is not what it was in run {newest.run}: {said}"
    return (Notice(code="changed", text=text),) if said else ()
