"""Read the runs of a project once and find among them: by name, the newest, one to resume, those before another."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof.errors import DamagedFile, RunNotFound, nearest
from foldproof.events import journal
from foldproof.events.fold_id import FoldId
from foldproof.records.facts import FILE_NAME, MOST_BYTES, Described, read_facts
from foldproof.records.record import RunRecord, read_events, replay
from foldproof.storage import holder, read_inside

MOST_BEFORE = 1000
_STAMP = len("YYYYMMDD-HHMMSS")


@dataclass(frozen=True)
class StoredRun(Described):
    """A run whose run.json can be read."""

    folder: Path
    facts: Mapping[str, Any]

    @cached_property
    def record(self) -> RunRecord:
        """The record so far. Raises DamagedFile if a journal does not check."""
        return replay(self.folder, self.facts, read_events(self.folder))

    @property
    def facts_sha256(self) -> str:
        """SHA-256 of the bytes of run.json."""
        return hashlib.sha256(read_inside(self.folder, FILE_NAME, most_bytes=MOST_BYTES)).hexdigest()

    @property
    def run(self) -> str:
        return self.folder.name

    @property
    def epochs_done(self) -> int:
        return sum(map(len, self.record.epochs.values()))

    @property
    def missing_end(self) -> bool:
        """Whether all folds have finished and it is not recorded that the run has."""
        return self.record.complete and self.record.status != "finished"

    @property
    def share(self) -> str:
        """`3 of 5 folds finished`."""
        folds = self.facts["config"]["folds"]
        return f"{len(self.record.finished)} of {folds['k'] * folds['repeats']} folds finished"

    def worked_on_by(self, wanted: Iterable[FoldId] = ()) -> str:
        """Who has locked the run or, if given, one of the folds `wanted`; empty if nobody has."""
        folders = [self.folder, *(fold_id.folder(self.folder) for fold_id in wanted)]
        return next((holder(path / journal.LOCK_NAME) for path in folders if journal.is_written(path)), "")


@dataclass(frozen=True)
class RunStore:
    """The runs of a project as they stood when they were read, oldest first. `damaged`: why others cannot be read."""

    runs: tuple[StoredRun, ...]
    damaged: Mapping[Path, DamagedFile]

    @staticmethod
    def read(folders: Iterable[Path]) -> "RunStore":
        """Read run.json of every run in `folders`, and no journal."""
        runs: list[StoredRun] = []
        damaged: dict[Path, DamagedFile] = {}
        for folder in sorted(folders, key=_began):
            try:
                runs.append(StoredRun(folder, read_facts(folder)))
            except DamagedFile as error:
                damaged[folder] = error
        return RunStore(tuple(runs), damaged)

    @cached_property
    def of_experiments(self) -> tuple[StoredRun, ...]:
        """All but folds that were trained again: those are no runs of an experiment, and are not resumed."""
        return tuple(run for run in self.runs if run.reseed is None)

    def named(self, experiment: str) -> tuple[StoredRun, ...]:
        """The runs of an experiment, oldest first."""
        return tuple(run for run in self.of_experiments if run.experiment == experiment)

    def newest(self, experiment: str) -> StoredRun | None:
        """The newest run of an experiment; None where it has not run."""
        return next(reversed(self.named(experiment)), None)

    @property
    def newest_of_each(self) -> tuple[StoredRun, ...]:
        """The newest run of every experiment, oldest first."""
        newest = {run.experiment: run.run for run in self.of_experiments}
        return tuple(run for run in self.of_experiments if newest[run.experiment] == run.run)

    def retrained(self, runs: Iterable[str]) -> tuple[StoredRun, ...]:
        """The runs that trained one fold of one of `runs` again."""
        wanted = set(runs)
        return tuple(run for run in self.runs if run.reseed is not None and run.reseed.run in wanted)

    def find_resumable(self, *, identity: str, wanted: Iterable[FoldId]) -> StoredRun | None:
        """The newest run of an identity that lacks a fold of `wanted`, else the newest; None where there is none."""
        wanted = set(wanted)
        same = [run for run in self.of_experiments if run.identity == identity]
        lacking = [run for run in same if not wanted <= run.record.finished.keys() or run.missing_end]
        return next(reversed(lacking or same), None)

    def earlier(self, *, experiment: str, identity: str) -> Mapping[str, str]:
        """Runs of the same experiment that are there when one begins: id to SHA-256 of run.json, of the newest.

        A run that names those before it cannot be shown without them unnoticed.
        """
        same = [run for run in self.of_experiments if experiment == run.experiment or identity == run.identity]
        return {run.run: run.facts_sha256 for run in same[-MOST_BEFORE:]}

    def find(self, wanted: Sequence[str]) -> tuple[StoredRun, ...]:
        """The runs meant, each once: by id, an experiment's name (its newest run), or the one beginning of an id.

        Raises RunNotFound where none or several fit, and what is wrong with a damaged run where its id is meant.
        """
        titles = {folder.name: folder.name for folder in self.damaged} | {run.run: run.title for run in self.runs}
        found = dict.fromkeys(_meant(one, titles) for one in wanted)
        for folder, error in self.damaged.items():
            if folder.name in found:
                raise error
        by_id = {run.run: run for run in self.runs}
        return tuple(by_id[run] for run in found)

    def scored_on(self, fingerprints: Set[str]) -> int | None:
        """How many experiments have been scored on the images of a fingerprint; None where there are several."""
        if len(fingerprints) != 1:
            return None
        return len({run.identity for run in self.of_experiments if run.facts["fingerprint"] in fingerprints})


def read_records(runs: Iterable[StoredRun]) -> tuple[tuple[RunRecord, ...], dict[Path, DamagedFile]]:
    """The records of the runs now, in order, and for each of the others why it cannot be read."""
    records: list[RunRecord] = []
    damaged: dict[Path, DamagedFile] = {}
    for run in runs:
        try:
            records.append(seen_now(run.record))
        except DamagedFile as error:
            damaged[run.folder] = error
    return tuple(records), damaged


def seen_now(record: RunRecord) -> RunRecord:
    """The same record; where it has no end and nobody works on it, its status is `cut off` instead of `running`."""
    folders = [record.folder, *(fold_id.folder(record.folder) for fold_id in record.fold_started)]
    if record.status != "running" or any(map(journal.is_written, folders)):
        return record
    return replace(record, status="cut off")


def _began(folder: Path) -> tuple[str, int]:
    """Ids tell seconds; of one second the file does, unless it is being removed."""
    with suppress(OSError):
        return folder.name[:_STAMP], (folder / FILE_NAME).stat().st_mtime_ns
    return folder.name[:_STAMP], 0


def _meant(wanted: str, titles: Mapping[str, str]) -> str:
    """The id meant by `wanted`. `titles`: of every id, oldest first."""
    if wanted in titles:
        return wanted
    named = [run for run, title in titles.items() if title == wanted]
    if named:
        return named[-1]
    fitting = sorted(run for run in titles if wanted and run.startswith(wanted))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = ", ".join(fitting[:5]) + (", …" if len(fitting) > 5 else "")
        raise RunNotFound(f"'{wanted}' begins {len(fitting)} run ids", next_step=f"say which: {shown}")
    if not titles:
        raise RunNotFound(f"no run '{wanted}': nothing has run yet", next_step="start with `foldproof run`")
    hint = nearest(wanted, titles.values())
    raise RunNotFound(
        f"no run '{wanted}': neither a run id, an experiment's name nor the beginning of an id"
        + (f"; {hint}" if hint else ""),
        next_step="`foldproof runs` lists them",
    )
