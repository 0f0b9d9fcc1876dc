"""The same epochs once: planned runs in; the same, their tasks knowing whose end they may go on from, out.

A fold with fewer epochs, else of an equal FoldKey, is the beginning of one with more where neither rate nor optimiser
knows how many epochs there will be.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from foldproof import registry
from foldproof.config.identity import canonical
from foldproof.config.schema import ExperimentConfig
from foldproof.errors import DamagedFile
from foldproof.events.types import Notice
from foldproof.plan.begun import Begun
from foldproof.plan.cuts import Cuts
from foldproof.plan.runs import Planned
from foldproof.plan.tasks import Model, begins_with, estimated_seconds, fold_keys
from foldproof.record import fold_folder
from foldproof.training.state_files import end_state
from foldproof.training.task import Beginning, FoldTask


def with_beginnings(
    planned: Sequence[Planned], cuts: Cuts, models: Mapping[str, Model], runs: Iterable[Begun]
) -> tuple[Planned, ...]:
    """The plans, those with fewer epochs as beginnings of the others, and finished folds of `runs` where they are kept.

    `models`: by the name of the experiment.
    """
    tasks = [(item.config, task) for item in planned for task in item.tasks]
    ahead = {task.fold_key: _as_beginning(config, task) for config, task in tasks if begins_alike(config)}
    runs = tuple(runs)
    return tuple(_begun(item, cuts, models[item.config.name], ahead, runs) for item in planned)


def begins_alike(config: ExperimentConfig) -> bool:
    """Whether the first epochs are the same however many follow. Of parts from elsewhere it is not known."""
    train = config.train
    return train.schedule == "constant" and train.optimizer in registry.SEAMS["optimizers"]


def _begun(item: Planned, cuts: Cuts, model: Model, ahead: Mapping[str, Beginning], runs: Sequence[Begun]) -> Planned:
    if not item.tasks or not begins_alike(item.config):
        return item
    there = {one.fold_key: one for run in runs for one in _finished(item.config, cuts.dataset.fingerprint, run)}
    lengths = {one.epochs for one in (*ahead.values(), *there.values()) if one.epochs < item.config.train.epochs}
    keys = {length: fold_keys(_of_epochs(item.config, length), cuts, model) for length in lengths}
    found = []
    for task in item.tasks:
        beginnings: list[Beginning] = []
        for length in sorted(lengths, reverse=True):
            key = keys[length][task.repeat, task.fold]
            if key in there:
                beginnings.append(there[key])
            elif key in ahead and not any(one.fold_key in there for one in beginnings):
                beginnings.append(ahead[key])
        found.append(replace(task, beginnings=tuple(beginnings)))
    return replace(
        item,
        tasks=tuple(found),
        seconds=sum(estimated_seconds(task, model.probe, images=len(cuts.dataset)) for task in found),
        notices=(*item.notices, *_said(item.config.name, found)),
    )


def _finished(config: ExperimentConfig, fingerprint: str, run: Begun) -> Iterator[Beginning]:
    """The finished folds of a run that began alike and ended earlier, and whose last state is kept."""
    then, now = run.facts["config"], canonical(config)
    epochs = then["train"].get("epochs")
    if (
        run.facts["fingerprint"] != fingerprint
        or then["pixels"] != now["pixels"]
        or {**then["train"], "epochs": 0} != {**now["train"], "epochs": 0}
        or not 0 < epochs < config.train.epochs
    ):
        return
    try:
        keys = run.record.fold_keys
    except DamagedFile:
        return
    for place, key in keys.items():
        folder = fold_folder(run.folder, *place)
        if end_state(folder, epochs=epochs).exists():
            yield Beginning(run=run.folder.name, experiment=run.experiment, epochs=epochs, fold_key=key, folder=folder)


def _as_beginning(config: ExperimentConfig, task: FoldTask) -> Beginning:
    return Beginning(
        run=task.run,
        experiment=config.name,
        epochs=task.train.epochs,
        fold_key=task.fold_key,
        folder=task.folder,
    )


def _of_epochs(config: ExperimentConfig, epochs: int) -> ExperimentConfig:
    return replace(config, train=replace(config.train, epochs=epochs))


def _said(name: str, tasks: Sequence[FoldTask]) -> Iterator[Notice]:
    if begins := begins_with(tasks):
        yield Notice(code="beginning", text=f"{name} begins with the {begins}; --no-reuse trains them again")
