"""One fold once more: an experiment and a fold of its newest run in; the same split with another seed, planned, out."""

from collections.abc import Sequence
from dataclasses import replace

from foldproof.config.schema import ExperimentConfig
from foldproof.errors import FoldsError, RunNotFound, SettingsError
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.plan.earlier import difference
from foldproof.plan.runs import Ground, Planned, facts_of, plan_anew
from foldproof.plan.tasks import Model
from foldproof.records.facts import Reseed
from foldproof.records.store import RunStore, StoredRun

_SEEDS = 2**63


def refuse_many(configs: Sequence[ExperimentConfig]) -> None:
    """Raises FoldsError unless there is one experiment: folds are trained again one by one."""
    if len(configs) != 1:
        raise FoldsError(
            f"--reseed trains one fold of one experiment, not of {len(configs)}",
            next_step=f"name one, as in `foldproof run {configs[0].name} --fold 0 --reseed`",
        )


def only_fold(config: ExperimentConfig, wanted: Sequence[FoldId]) -> FoldId:
    """The one fold that is wanted. Raises FoldsError where there are several."""
    if len(wanted) != 1:
        raise FoldsError(
            f"--reseed trains one fold, not {len(wanted)}",
            next_step=f"name one, as in `--fold {wanted[0].short(repeats=config.folds.repeats)}`, then another",
        )
    return wanted[0]


def again(config: ExperimentConfig, ground: Ground, model: Model, fold_id: FoldId, store: RunStore) -> Planned:
    """A run of that fold alone. Raises as `reseeded` does."""
    changed, reseed = reseeded(config, ground, model, fold_id, store)
    text = f"{config.name}: {fold_id} of run {reseed.run} again, with train.seed {changed.train.seed}"
    return plan_anew(changed, ground, model, [fold_id], {}, notices=[Notice(code="reseed", text=text)], reseed=reseed)


def reseeded(
    config: ExperimentConfig, ground: Ground, model: Model, fold_id: FoldId, store: RunStore
) -> tuple[ExperimentConfig, Reseed]:
    """The experiment with a seed one higher than the last that was tried for a fold, and which fold that is.

    Raises RunNotFound where the experiment has not run, SettingsError where its newest run was begun otherwise, and
    FoldsError where that run has no score of the fold.
    """
    original = _newest(config, ground, model, store)
    if fold_id not in original.record.finished:
        raise FoldsError(
            f"{fold_id} of run {original.run} has no score to compare with",
            next_step="`foldproof run --resume` completes it",
        )
    reseed = Reseed(run=original.run, repeat=fold_id.repeat, fold=fold_id.fold)
    before = sum(run.reseed == reseed for run in store.runs)
    seed = (config.train.seed + 1 + before) % _SEEDS
    return replace(config, train=replace(config.train, seed=seed)), reseed


def _newest(config: ExperimentConfig, ground: Ground, model: Model, store: RunStore) -> StoredRun:
    newest = store.newest(config.name)
    if newest is None:
        raise RunNotFound(f"{config.name} has not run yet", next_step=f"start with `foldproof run {config.name}`")
    facts = facts_of(config, ground, model)
    if newest.identity != facts["identity"]:
        raise SettingsError(
            f"{config.name} was run otherwise in run {newest.run}: {difference(newest.facts, facts)}",
            next_step="set that back to train its fold again",
        )
    return newest
