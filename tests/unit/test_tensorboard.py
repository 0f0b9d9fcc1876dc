"""TensorBoard's event files, read as TensorBoard reads them, say what the journals say."""

import subprocess
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from foldproof import registry
from foldproof.records.record import RunRecord, read_events
from foldproof.trackers import RunPlan, Tracker, TrackerContext
from foldproof.trackers.guarded import Guarded
from journaled import JournaledRun, epoch


def tracker_of(run: JournaledRun) -> Tracker:
    plan = RunPlan(run=run.run, experiment=run.experiment, folds=run.k, repeats=run.repeats, epochs=2, seconds=None)
    context = TrackerContext(folders=(run.folder,), plans=(plan,), target=None, quiet=True, parallel_folds=1)
    return Guarded("tensorboard", registry.load("trackers", "tensorboard"), context)


def shown(run: JournaledRun, fold: str = "") -> EventAccumulator:
    folder = run.folder.parent / "tensorboard" / run.experiment / run.run / fold
    return EventAccumulator(str(folder)).Reload()


def points(run: JournaledRun, fold: str, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in shown(run, fold).Scalars(name)]


def test_each_fold_has_its_epochs_and_the_run_its_averages_and_settings(tmp_path):
    run = JournaledRun.make(tmp_path, repeats=2).complete()
    tracker = tracker_of(run)
    for event in read_events(run.folder):
        tracker.tell(event)
    assert tracker.close() == ()
    for fold, place in (("fold 1", (0, 1)), ("fold 1.2", (1, 2))):
        told = [epoch(place, number).val_accuracy for number in (1, 2)]
        assert points(run, fold, "val_accuracy") == [(1, told[0]), (2, told[1])]
        assert {"train_loss", "train_accuracy", "val_loss", "lr", "final/macro_f1"} <= set(
            shown(run, fold).Tags()["scalars"]
        )
    ((_, mean),) = points(run, "", "cv_accuracy_mean")
    assert mean == pytest.approx(RunRecord.read(run.folder).last_accuracy.mean)
    from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data

    (content,) = shown(run).PluginTagToContent("hparams").values()
    assert parse_session_start_info_plugin_data(content).hparams["lr"].string_value == "0.01"


def test_a_run_that_was_killed_and_goes_on_has_every_point_once(tmp_path):
    run = JournaledRun.make(tmp_path)
    killed = tracker_of(run)
    run.start()
    run.begin_fold((0, 0), epochs=1)
    for event in read_events(run.folder):
        killed.tell(event)
    run.append(epoch((0, 0), 2), place=(0, 0))  # in the journal, and nobody was told of it
    resumed = tracker_of(run)
    resumed.tell(run.finish_fold((0, 0)))
    run.begin_fold((0, 1), epochs=2)
    begun = [event for event in read_events(run.folder) if event.fold == 1]
    for event in begun:
        resumed.tell(event)
    assert resumed.close() == ()
    for fold in ("fold 0", "fold 1"):
        assert [step for step, _ in points(run, fold, "val_loss")] == [1, 2]
    killed.close()


def test_a_fold_that_starts_over_leaves_no_point_of_before(tmp_path):
    run = JournaledRun.make(tmp_path)
    tracker = tracker_of(run)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    run.begin_fold((0, 0), epochs=1)
    for event in read_events(run.folder):
        tracker.tell(event)
    tracker.close()
    assert [step for step, _ in points(run, "fold 0", "val_loss")] == [1]


def test_a_folder_that_cannot_be_written_is_said_at_the_end(tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    (tmp_path / "tensorboard").write_text("a file where a folder belongs")
    tracker = tracker_of(run)
    for event in read_events(run.folder):
        tracker.tell(event)
    (notice,) = tracker.close()
    assert notice.text.startswith("the tracker tensorboard failed and hears no more: ")


def test_without_the_package_one_line_says_what_to_install():
    script = """if True:
        import sys
        sys.modules["tensorboard"] = None
        from foldproof import registry
        from foldproof.errors import TrackingError
        try:
            registry.load("trackers", "tensorboard")
        except TrackingError as error:
            print(error.next_step)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "`pip install 'foldproof[tensorboard]'`, or leave it out of tracking.trackers\n"
