"""Let folds start from the end of others that trained the same first epochs.

A fold with fewer epochs, else of an equal FoldKey, is the beginning of one with more where neither rate nor optimiser
knows how many epochs there will be. One with as many is all of it, as where repeats are added; but not the fold of an
earlier run of the same identity: who asks for a repetition gets one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from foldproof import registry
from foldproof.config.identity import canonical
from foldproof.config.schema import ExperimentConfig
from foldproof.errors import DamagedFile
from foldproof.events.reuse import Reuse
from foldproof.events.types import Notice
from foldproof.plan.options import RunOptions
from foldproof.plan.planned import PlannedRun
from foldproof.plan.splits import Splits
from foldproof.plan.tasks import Model, estimated_seconds, fold_keys
from foldproof.records.store import RunStore, StoredRun
from foldproof.training.resuming.state_files import end_state
from foldproof.training.task import FoldTask, WarmStart


def add_warm_starts(
    planned: Sequence[PlannedRun], splits: Splits, models: Mapping[str, Model], store: RunStore, options: RunOptions
) -> tuple[PlannedRun, ...]:
    """The plans, those with fewer epochs as warm starts of the others, as finished folds of `store` that are kept are.

    `models`: by the name of the experiment. With `again` the runs of `store` do not count, without `reuse` nothing.
    """
    if options.reseed or not options.reuse:
        return tuple(planned)
    tasks = [(item.config, task) for item in planned for task in item.tasks]
    ahead = {task.fold_key: _to_warm_start(config, task) for config, task in tasks if begins_alike(config)}
    runs = () if options.again else store.of_experiments
    return tuple(_warm_started(item, splits, models[item.config.name], ahead, runs) for item in planned)


def begins_alike(config: ExperimentConfig) -> bool:
    """Whether the first epochs are the same however many follow. Of parts from elsewhere it is not known."""
    train = config.train
    return train.schedule == "constant" and train.optimizer in registry.SEAMS["optimizers"]


def _warm_started(
    item: PlannedRun, splits: Splits, model: Model, ahead: Mapping[str, WarmStart], runs: Sequence[StoredRun]
) -> PlannedRun:
    if not item.tasks or not begins_alike(item.config):
        return item
    there = {one.fold_key: one for run in runs for one in _finished(item, run)}
    known = {one.reuse.epochs for one in (*ahead.values(), *there.values())}
    lengths = sorted((epochs for epochs in known if epochs <= item.config.train.epochs), reverse=True)
    keys = [fold_keys(_of_epochs(item.config, epochs), splits, model) for epochs in lengths]
    found = []
    for task in item.tasks:
        of_task = [of_length[task.fold_id] for of_length in keys]
        found.append(replace(task, warm_starts=tuple(_longest_first(of_task, there, ahead, task.fold_key))))
    if not any(task.warm_starts for task in found):
        return item
    started = replace(item, tasks=tuple(found))
    text = f"{item.config.name} begins with the {started.begins_with}; --no-reuse trains them again"
    return replace(
        started,
        seconds=sum(estimated_seconds(task, model.probe, images=len(splits.dataset)) for task in found),
        notices=(*item.notices, Notice(code="beginning", text=text)),
    )


def _longest_first(
    keys: Iterable[str], there: Mapping[str, WarmStart], ahead: Mapping[str, WarmStart], own_key: str
) -> Iterator[WarmStart]:
    """Those of the keys, longest first, that have finished, and those yet to be trained that are longer than these."""
    waits = True
    for key in keys:
        if key in there:
            waits = False
            yield there[key]
        elif key in ahead and key != own_key and waits:
            yield ahead[key]


def _finished(item: PlannedRun, run: StoredRun) -> Iterator[WarmStart]:
    """The finished folds of a run that began alike and did not go on for longer, and whose last state is kept."""
    then, now = run.facts["config"], canonical(item.config)
    epochs = int(then["train"]["epochs"])
    if (
        run.identity == item.identity
        or run.facts["fingerprint"] != item.fingerprint
        or then["pixels"] != now["pixels"]
        or {**then["train"], "epochs": 0} != {**now["train"], "epochs": 0}
        or epochs > item.config.train.epochs
    ):
        return
    try:
        keys = run.record.fold_keys
    except DamagedFile:
        return
    for fold_id, key in keys.items():
        folder = fold_id.folder(run.folder)
        if end_state(folder, epochs=epochs).exists():
            reuse = Reuse(run=run.folder.name, experiment=run.experiment, epochs=epochs)
            yield WarmStart(reuse=reuse, fold_key=key, folder=folder)


def _to_warm_start(config: ExperimentConfig, task: FoldTask) -> WarmStart:
    reuse = Reuse(run=task.run, experiment=config.name, epochs=task.train.epochs)
    return WarmStart(reuse=reuse, fold_key=task.fold_key, folder=task.folder)


def _of_epochs(config: ExperimentConfig, epochs: int) -> ExperimentConfig:
    return replace(config, train=replace(config.train, epochs=epochs))
