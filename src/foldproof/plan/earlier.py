"""Say what earlier runs mean for a new one: one is unfinished, one had different settings, one is being trained."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from foldproof.errors import DamagedFile, SettingsError, StorageError
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.records.facts import range_in_use
from foldproof.records.store import RunStore, StoredRun

MOMENT_SECONDS = 3.0


def unfinished_notice(store: RunStore, *, identity: str) -> tuple[Notice, ...]:
    """Notices before an experiment is run again: it is running, or was interrupted."""
    newest = next((run for run in reversed(store.of_experiments) if run.identity == identity), None)
    try:
        if newest is None or newest.record.complete:
            return ()
        who = newest.worked_on_by(newest.record.epochs)
    except DamagedFile:
        return ()
    where = f"run {newest.run} of {newest.experiment}"
    if who:
        return (Notice(code="also_running", text=f"{where} is being trained by {who}; this is a different one"),)
    text = f"{where} is not complete ({newest.share}): `foldproof run --resume` continues it"
    return (Notice(code="unfinished", text=text),)


def refuse_other_settings(store: RunStore, *, experiment: str, facts: Mapping[str, Any]) -> None:
    """Raises SettingsError if an unfinished run of this name has different settings, images or folds."""
    named = [run for run in store.named(experiment) if not run.record.complete]
    if named:
        raise SettingsError(
            f"{experiment} had different settings in run {named[-1].run}: {difference(named[-1].facts, facts)}",
            next_step="set that back to continue it, or start over with `foldproof run`",
        )


def difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first three settings in which two runs differ, in words: `train.lr was 0.01 and is 0.001`."""
    said = []
    for section in ("pixels", "folds", "train"):
        old, new = then["config"].get(section, {}), now["config"].get(section, {})
        name = "data" if section == "pixels" else section
        said += [
            f"{name}.{key} was {old.get(key, 'the default')} and is {new.get(key, 'the default')}"
            for key in dict.fromkeys((*old, *new))
            if old.get(key) != new.get(key)
        ]
    if then.get("range") != now.get("range"):
        old, new = (range_in_use(facts) or "that of 8 bits" for facts in (then, now))
        said.append(f"the range of values was {old} and is {new}")
    if then["fingerprint"] != now["fingerprint"]:
        said.append("the images differ")
    elif then["folds_digest"] != now["folds_digest"]:
        said.append("the folds differ")
    return "; ".join(said[:3])


def check_not_locked(run: StoredRun, wanted: Iterable[FoldId], *, shared: bool) -> None:
    """Check that no other process trains one of the `wanted` folds, or the run. Raises StorageError.

    Those who share a run hold it as a whole for moments only, which are waited for.
    """
    fold_ids = tuple(wanted)
    deadline = time.monotonic() + (MOMENT_SECONDS if shared else 0.0)
    while (who := run.worked_on_by(fold_ids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    if who:
        raise StorageError(
            f"run {run.run} of {run.experiment} is being trained by {who}",
            next_step="wait for it to end, then try again",
        )
