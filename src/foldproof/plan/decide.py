"""Decide for an experiment whether a new run begins, one is resumed, or one is up to date. It only reads runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from foldproof.errors import DamagedFile, FoldsError, RunNotFound, SettingsError
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.plan.arithmetic import changed_arithmetic
from foldproof.plan.earlier import difference, refuse_other_settings, unfinished_notice
from foldproof.plan.experiment import ExperimentPlan
from foldproof.plan.options import RunOptions
from foldproof.records.facts import Reseed, read_environment
from foldproof.records.store import RunStore, StoredRun

_SEEDS = 2**63


@dataclass(frozen=True)
class New:
    """A new run begins. `earlier`: the runs that it names (`RunStore.earlier`); `reseed`: what it repeats."""

    experiment: ExperimentPlan
    earlier: Mapping[str, str]
    notices: tuple[Notice, ...] = ()
    reseed: Reseed | None = None

    @property
    def fold_ids(self) -> Sequence[FoldId]:
        return self.experiment.wanted


@dataclass(frozen=True)
class Resume:
    """A run goes on: what it lacks of the folds wanted, which may be none."""

    experiment: ExperimentPlan
    run: StoredRun

    @property
    def fold_ids(self) -> Sequence[FoldId]:
        finished = self.run.record.finished
        return tuple(fold_id for fold_id in self.experiment.wanted if fold_id not in finished)


@dataclass(frozen=True)
class UpToDate:
    """A complete run stands for the experiment; at most its end is recorded."""

    experiment: ExperimentPlan
    run: StoredRun
    notices: tuple[Notice, ...]

    @property
    def fold_ids(self) -> Sequence[FoldId]:
        return ()


Decision: TypeAlias = New | Resume | UpToDate


def decide(experiment: ExperimentPlan, store: RunStore, options: RunOptions) -> Decision:
    """Decide what becomes of an experiment, given the existing runs.

    Raises SettingsError where an unfinished run had other settings, and for a fold to be trained again RunNotFound,
    SettingsError and FoldsError.
    """
    if options.reseed:
        return _reseeded(experiment, store)
    if options.joins:
        run = store.find_resumable(identity=experiment.identity, wanted=experiment.wanted)
        if run is not None:
            return Resume(experiment, run)
        return _begun(experiment, store) if options.resume else New(experiment, _earlier(experiment, store))
    run = _up_to_date(experiment, store) if options.skips_done else None
    if run is not None:
        return UpToDate(experiment, run, (_nothing_to_train(experiment, run, store),))
    notices = unfinished_notice(store, identity=experiment.identity)
    if not options.again:
        notices += _changes(experiment, store)
    return New(experiment, _earlier(experiment, store), notices)


def refuse_many(experiments: Sequence[str]) -> None:
    """Raises FoldsError unless there is one experiment: folds are retrained one at a time."""
    if len(experiments) != 1:
        raise FoldsError(
            f"--reseed trains one fold of one experiment, not of {len(experiments)}",
            next_step=f"name one, as in `foldproof run {experiments[0]} --fold 0 --reseed`",
        )


def _earlier(experiment: ExperimentPlan, store: RunStore) -> Mapping[str, str]:
    return store.earlier(experiment=experiment.name, identity=experiment.identity)


def _begun(experiment: ExperimentPlan, store: RunStore) -> New:
    refuse_other_settings(store, experiment=experiment.name, facts=experiment.facts)
    text = f"{experiment.name}: no run of these settings, images and folds to resume, so a new one begins"
    return New(experiment, _earlier(experiment, store), (Notice(code="begins", text=text),))


def _up_to_date(experiment: ExperimentPlan, store: RunStore) -> StoredRun | None:
    """The newest run of this name and identity of which every fold has finished under the FoldKey that it has now."""
    same = [run for run in store.named(experiment.name) if run.identity == experiment.identity]
    return next((run for run in reversed(same) if _is_complete(run, experiment.fold_keys)), None)


def _is_complete(run: StoredRun, keys: Mapping[FoldId, str]) -> bool:
    try:
        return run.record.complete and run.record.fold_keys == keys and not run.worked_on_by(keys)
    except DamagedFile:
        return False


def _nothing_to_train(experiment: ExperimentPlan, run: StoredRun, store: RunStore) -> Notice:
    text = f"{experiment.name}: nothing to train, run {run.run} is the same; --again retrains it"
    newest = store.newest(experiment.name)
    if newest is not None and newest.run != run.run:
        is_alike = newest.identity == run.identity
        text += f" (run {newest.run} is newer, and {'not complete' if is_alike else 'otherwise'})"
    return Notice(code="done", text=text)


def _changes(experiment: ExperimentPlan, store: RunStore) -> tuple[Notice, ...]:
    """How an experiment differs from the newest run of its name; nothing where it is new, or was cut off."""
    newest = store.newest(experiment.name)
    if newest is None:
        return ()
    said = difference(newest.facts, experiment.facts)
    try:
        if not said and newest.record.complete:
            now = {"numeric_class": experiment.model.probe.numeric_class}
            names = changed_arithmetic(read_environment(newest.folder), now)
            said = f"the arithmetic differs ({', '.join(names)})" if names else ""
    except DamagedFile:
        return ()
    text = f"{experiment.name} differs from run {newest.run}: {said}"
    return (Notice(code="changed", text=text),) if said else ()


def _reseeded(experiment: ExperimentPlan, store: RunStore) -> New:
    """The one fold to retrain, with a seed one higher than the last one tried for it."""
    config, fold_id = experiment.config, _only_fold(experiment)
    original = _original(experiment, store)
    if fold_id not in original.record.finished:
        raise FoldsError(
            f"{fold_id} of run {original.run} has no score to compare with",
            next_step="`foldproof run --resume` completes it",
        )
    reseed = Reseed(run=original.run, repeat=fold_id.repeat, fold=fold_id.fold)
    before = sum(run.reseed == reseed for run in store.runs)
    seed = (config.train.seed + 1 + before) % _SEEDS
    other = replace(config, train=replace(config.train, seed=seed))
    changed = ExperimentPlan.of(other, experiment.model, experiment.context, experiment.wanted)
    text = f"{config.name}: {fold_id} of run {original.run} again, with train.seed {seed}"
    return New(changed, {}, (Notice(code="reseed", text=text),), reseed)


def _only_fold(experiment: ExperimentPlan) -> FoldId:
    first, *others = experiment.wanted
    if others:
        raise FoldsError(
            f"--reseed trains one fold, not {1 + len(others)}",
            next_step=f"name one, as in `--fold {first.short(repeats=experiment.config.folds.repeats)}`, then another",
        )
    return first


def _original(experiment: ExperimentPlan, store: RunStore) -> StoredRun:
    newest = store.newest(experiment.name)
    if newest is None:
        raise RunNotFound(
            f"{experiment.name} has not run yet", next_step=f"start with `foldproof run {experiment.name}`"
        )
    if newest.identity != experiment.identity:
        raise SettingsError(
            f"{experiment.name} had different settings in run {newest.run}: "
            f"{difference(newest.facts, experiment.facts)}",
            next_step="set that back to retrain its fold",
        )
    return newest
