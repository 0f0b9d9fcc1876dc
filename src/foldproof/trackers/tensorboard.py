"""Write TensorBoard's event files of the runs, which say what the journals say.

A run is written from its journals when its first event is told, so that a run that was killed and goes on has every
point once. `tensorboard --logdir runs/tensorboard` shows `EXPERIMENT/RUN/fold 1.3`.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

try:
    from tensorboard.compat.proto.event_pb2 import Event as Written
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
except ImportError as error:
    from foldproof.errors import TrackingError

    raise TrackingError(
        f"the tracker tensorboard cannot start: {error}",
        next_step="`pip install 'foldproof[tensorboard]'`, or leave it out of tracking.trackers",
    ) from error

from foldproof.events.fold_id import FoldId
from foldproof.events.types import EpochFinished, Event, FoldFinished, FoldStarted, Notice, RunFinished
from foldproof.records.facts import read_facts
from foldproof.records.record import RunRecord, read_events
from foldproof.trackers import CLOSING_SECONDS, TrackerContext
from foldproof.trackers.mlflow.desired_runs import parameters
from foldproof.trackers.mlflow.points import PER_EPOCH, run_points

FOLDER = "tensorboard"


class TensorBoardTracker:
    """Has a folder of event files for each run and one in it for each fold."""

    def __init__(self, context: TrackerContext) -> None:
        names = {plan.run: plan.experiment for plan in context.plans}
        self._runs = {folder.name: RunFiles(folder, names[folder.name]) for folder in context.folders}

    def tell(self, event: Event) -> None:
        self._runs[event.run].tell(event)

    def close(self, *, within: float = CLOSING_SECONDS) -> tuple[Notice, ...]:  # noqa: ARG002 - files are written
        for files in self._runs.values():
            files.close()
        return ()


class RunFiles:
    """The event files of one run."""

    def __init__(self, run: Path, experiment: str) -> None:
        self._run = run
        self._folder = run.parent / FOLDER / experiment / run.name
        self._written: dict[FoldId | None, int] = {}  # how many events of each journal
        self._writers: dict[FoldId | None, EventFileWriter] = {}

    def tell(self, event: Event) -> None:
        """Write what the event says, and at first all that the journals say."""
        if not self._written:
            if any(path.is_symlink() for path in (self._folder, *self._folder.parents[:2])):
                raise OSError(f"{self._folder} is reached through a link: nothing is written there")
            shutil.rmtree(self._folder, ignore_errors=True)
            for told in read_events(self._run):
                self._write(told)
        self._write(event)

    def _write(self, event: Event) -> None:
        if event.seq < self._written.get(event.fold_id, 0):
            return
        self._written[event.fold_id] = event.seq + 1
        match event.body:
            case FoldStarted():
                self._begin(event)
            case EpochFinished() as epoch:
                values = {quantity: getattr(epoch, quantity) for quantity in (*PER_EPOCH, "lr")}
                self._add(event, epoch.epoch, values)
            case FoldFinished(epochs=epochs, scores=scores):
                self._add(event, epochs, {f"final/{name}": value for name, value in scores.items()})
            case RunFinished():
                self._sum_up(event)

    def _begin(self, event: Event) -> None:
        """A fold that starts over leaves nothing of what it said before."""
        if writer := self._writers.pop(event.fold_id, None):
            writer.close()
        shutil.rmtree(self._folder / str(event.fold_id), ignore_errors=True)

    def _sum_up(self, event: Event) -> None:
        record = RunRecord.read(self._run)
        hparams = hparams_pb(parameters(read_facts(self._run)), trial_id=event.run, start_time_secs=event.time)
        self._writer(None).add_event(Written(wall_time=event.time, summary=hparams))
        by_fold: dict[FoldId, list[Event]] = {}
        for told in read_events(self._run):
            if told.fold_id is not None:
                by_fold.setdefault(told.fold_id, []).append(told)
        for point in run_points(record, by_fold):
            self._add(event, point.step, {point.key: point.value})

    def _add(self, event: Event, step: int, values: Mapping[str, float]) -> None:
        summary = Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])
        writer = self._writer(event.fold_id)
        writer.add_event(Written(wall_time=event.time, step=step, summary=summary))
        writer.flush()

    def _writer(self, fold_id: FoldId | None) -> EventFileWriter:
        if fold_id not in self._writers:
            folder = self._folder / str(fold_id) if fold_id else self._folder
            self._writers[fold_id] = EventFileWriter(str(folder))
        return self._writers[fold_id]

    def close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()
