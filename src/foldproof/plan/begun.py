"""Runs that have begun: a project and an identity in; which run may go on, what it lacks and who works on it out."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof.errors import DamagedFile, SettingsError, StorageError
from foldproof.events import journal
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.project import Project
from foldproof.runs.facts import FILE_NAME as FACTS
from foldproof.runs.facts import MOST_BYTES, range_in_use, read_facts, reseed_of
from foldproof.runs.record import RunRecord
from foldproof.storage import holder, read_inside

MOMENT_SECONDS = 3.0
MOST_BEFORE = 1000


@dataclass(frozen=True)
class Begun:
    """A run that is there already."""

    folder: Path
    facts: Mapping[str, Any]

    @cached_property
    def record(self) -> RunRecord:
        """What it amounts to so far. Raises DamagedFile where a journal does not check."""
        return RunRecord.read(self.folder)

    @property
    def facts_sha256(self) -> str:
        """SHA-256 of the bytes of run.json."""
        return hashlib.sha256(read_inside(self.folder, FACTS, most_bytes=MOST_BYTES)).hexdigest()

    @property
    def experiment(self) -> str:
        return str(self.facts["experiment"])

    @property
    def identity(self) -> str:
        return str(self.facts["identity"])

    @property
    def epochs_done(self) -> int:
        return sum(map(len, self.record.epochs.values()))

    @property
    def lacks_its_end(self) -> bool:
        """Whether all folds have finished and it is not recorded that the run has."""
        return self.record.complete and self.record.status != "finished"

    @property
    def share(self) -> str:
        """`3 of 5 folds finished`."""
        folds = self.facts["config"]["folds"]
        return f"{len(self.record.finished)} of {folds['k'] * folds['repeats']} folds finished"

    def worked_on_by(self, wanted: Iterable[FoldId] = ()) -> str:
        """Who holds the run as a whole or, where given, one of the folds `wanted`; empty where nobody does."""
        folders = [self.folder, *(fold_id.folder(self.folder) for fold_id in wanted)]
        return next((holder(path / journal.LOCK_NAME) for path in folders if journal.is_written(path)), "")


def begun(project: Project) -> tuple[Begun, ...]:
    """The runs of experiments whose run.json can be read, oldest first, also those of one second.

    A fold that was trained again is no run of an experiment, and is not gone on with.
    """
    return tuple(run for run in every_run(project) if reseed_of(run.facts) is None)


def every_run(project: Project) -> tuple[Begun, ...]:
    """All runs of a project whose run.json can be read, oldest first, also folds that were trained again."""
    found = []
    for folder in sorted(project.run_folders(), key=_when):
        try:
            found.append(Begun(folder, read_facts(folder)))
        except DamagedFile:
            continue
    return tuple(found)


def before(runs: Iterable[Begun], *, experiment: str, identity: str) -> Mapping[str, str]:
    """Runs of the same experiment that are there when one begins: id to SHA-256 of run.json, the newest MOST_BEFORE.

    A run that names those before it cannot be shown without them unnoticed.
    """
    same = [run for run in runs if experiment == run.experiment or identity == run.identity]
    return {run.folder.name: run.facts_sha256 for run in same[-MOST_BEFORE:]}


def seen_now(record: RunRecord) -> RunRecord:
    """The same record; where it has no end and nobody works on it, its status is `cut off` instead of `running`."""
    folders = [record.folder, *(fold_id.folder(record.folder) for fold_id in record.fold_started)]
    if record.status != "running" or any(map(journal.is_written, folders)):
        return record
    return replace(record, status="cut off")


def _when(folder: Path) -> tuple[str, int]:
    return folder.name[: len("YYYYMMDD-HHMMSS")], (folder / "run.json").stat().st_mtime_ns


def to_go_on_with(runs: Iterable[Begun], *, identity: str, wanted: Iterable[FoldId]) -> Begun | None:
    """The newest run of an identity that lacks a fold of `wanted`, else the newest; None where there is none."""
    wanted = set(wanted)
    same = [run for run in runs if run.identity == identity]
    lacking = [run for run in same if not wanted <= run.record.finished.keys() or run.lacks_its_end]
    return next(reversed(lacking or same), None)


def left_over(runs: Iterable[Begun], *, identity: str) -> tuple[Notice, ...]:
    """What a person should know before an experiment is run anew: it is being run, or was cut off."""
    newest = next((run for run in reversed(tuple(runs)) if run.identity == identity), None)
    try:
        if newest is None or newest.record.complete:
            return ()
        who = newest.worked_on_by(newest.record.epochs)
    except DamagedFile:
        return ()
    where = f"run {newest.folder.name} of {newest.experiment}"
    if who:
        return (Notice(code="also_running", text=f"{where} is being trained by {who}; this is another one"),)
    text = f"{where} is not complete ({newest.share}): `foldproof run --resume` goes on with it"
    return (Notice(code="unfinished", text=text),)


def refuse_other_settings(runs: Iterable[Begun], *, experiment: str, facts: Mapping[str, Any]) -> None:
    """Raises SettingsError where an unfinished run of this name was begun with other settings, images or folds."""
    named = [run for run in runs if run.experiment == experiment and not run.record.complete]
    if named:
        raise SettingsError(
            f"{experiment} was begun otherwise in run {named[-1].folder.name}: {difference(named[-1].facts, facts)}",
            next_step="set that back to go on with it, or start anew with `foldproof run`",
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
        said.append("the images are others")
    elif then["folds_digest"] != now["folds_digest"]:
        said.append("the folds are others")
    return "; ".join(said[:3])


def refuse_worked_on(run: Begun, wanted: Iterable[FoldId], *, shared: bool) -> None:
    """Raises StorageError where somebody trains what is `wanted`, or the run as a whole.

    Those who share a run hold it as a whole for moments only, which are waited for.
    """
    fold_ids = tuple(wanted)
    deadline = time.monotonic() + (MOMENT_SECONDS if shared else 0.0)
    while (who := run.worked_on_by(fold_ids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    if who:
        raise StorageError(
            f"run {run.folder.name} of {run.experiment} is being trained by {who}",
            next_step="wait for it to end, then do the same again",
        )
