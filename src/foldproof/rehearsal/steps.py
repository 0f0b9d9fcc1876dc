"""Read the steps of a rehearsal, with times and problems, from its journals."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from foldproof.errors import FoldproofError
from foldproof.events.types import (
    ArtifactAdded,
    CheckpointSaved,
    EpochFinished,
    Event,
    FoldFinished,
    FoldStarted,
    RunFinished,
    RunStarted,
)
from foldproof.records.record import RunRecord, read_events
from foldproof.rehearsal.rehearsed import Step
from foldproof.trackers import TrackingTarget
from foldproof.workflow import RunReport

_OF_A_FOLD = (
    ("one epoch of one fold", FoldStarted, EpochFinished),
    ("checkpoint", EpochFinished, CheckpointSaved),
    ("predictions and scores", CheckpointSaved, FoldFinished),
)
_REPORT = ("report", RunFinished, ArtifactAdded)


class Journal:
    """What the journals of one rehearsed run hold, by what happened."""

    def __init__(self, folder: Path) -> None:
        self.record = RunRecord.read(folder)
        events = read_events(folder)
        self.last = max((event.time for event in events), default=time.time())
        self._at: Mapping[type, Event] = {type(event.body): event for event in events}

    def between(self, first: type, last: type) -> float | None:
        """Seconds from the one to the other; None where one did not happen."""
        if first not in self._at or last not in self._at:
            return None
        return max(0.0, self._at[last].time - self._at[first].time)

    def at(self, kind: type) -> float | None:
        """When it happened last, in seconds since 1970."""
        return self._at[kind].time if kind in self._at else None

    @property
    def trouble(self) -> str:
        """Why the fold failed, or what could not be made of the run."""
        said = [failed.reason for failed in self.record.failed.values()]
        said += [notice.text for notice in self.record.notices if notice.code == "no-report"]
        return f"{self.record.experiment}: {said[0]}" if said else f"{self.record.experiment}: it did not get that far"


def steps_of(journals: Sequence[Journal], since: float, *, with_report: bool) -> Iterator[Step]:
    """From the images on, which began at `since` in seconds since 1970, to the report of each run."""
    started = [at for journal in journals if (at := journal.at(RunStarted)) is not None]
    yield Step("images decoded, folds made", max(started, default=since) - since)
    for name, first, last in (*_OF_A_FOLD, _REPORT) if with_report else _OF_A_FOLD:
        took = [(journal, journal.between(first, last)) for journal in journals]
        failed = [journal.trouble for journal, seconds in took if seconds is None]
        yield Step(name, sum(seconds or 0.0 for _, seconds in took), failed[0] if failed else "")


def tracked(
    journals: Sequence[Journal], target: TrackingTarget, report: RunReport, *, since: float, until: float
) -> Step:
    """Whether MLflow has the runs and their folds; they are deleted there."""
    from foldproof.trackers.mlflow.deleted_runs import delete_runs

    name, seconds = "MLflow", until - since
    said = [notice.text for notice in report.closing_notices]
    try:
        there = delete_runs(target, [journal.record.run for journal in journals])
    except FoldproofError as error:
        return Step(name, seconds, error.what)
    if said or there < 2 * len(journals):
        return Step(name, seconds, said[0] if said else f"it has {there} of {2 * len(journals)} runs")
    return Step(name, seconds)
