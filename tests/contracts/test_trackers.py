"""What every tracker promises, and what the one for MLflow promises beyond: it has a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from foldproof import registry
from foldproof.events.types import Notice, RunFinished
from foldproof.records.record import RunRecord, read_events
from foldproof.trackers import RunPlan, Tracker, TrackerContext, TrackingTarget
from foldproof.trackers.mlflow.store import prepare
from foldproof.trackers.mlflow.sync import sync
from foldproof.trackers.mlflow.tracker import MlflowTracker
from journaled import JournaledRun, epoch

STARTS_A_PROCESS = ("mlflow",)
TRACKERS = [
    pytest.param(name, marks=pytest.mark.slow if name in STARTS_A_PROCESS else ())
    for name in registry.names("trackers")
]
NO_TIME = 0.05


def context_of(*runs: JournaledRun, target: TrackingTarget | None) -> TrackerContext:
    return TrackerContext(
        folders=tuple(run.folder for run in runs),
        plans=tuple(
            RunPlan(
                run=run.run,
                experiment=run.experiment,
                folds=run.k,
                repeats=run.repeats,
                epochs=run.epochs,
                seconds=None,
            )
            for run in runs
        ),
        target=target,
        quiet=True,
        parallel_folds=1,
    )


def local_target(folder: Path) -> TrackingTarget:
    return TrackingTarget(
        uri=f"sqlite:///{folder / 'mlflow.db'}", experiment="tracked", artifacts=folder / "mlartifacts"
    )


def no_pulse(seconds: float) -> None:
    """Nobody listens."""


def make(name: str, context: TrackerContext) -> Tracker:
    tracker: Tracker = registry.load("trackers", name)(context)
    return tracker


@contextmanager
def takes_at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def wait_for(what: Callable[[], Any], *, seconds: float = 40.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.1)
    return found


@contextmanager
def silent_server() -> Iterator[str]:
    """Accepts every connection and never answers."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://bob:hunter2@127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)
            for connection in kept:
                connection.close()


@pytest.mark.parametrize("name", TRACKERS)
def test_a_tracker_hears_of_every_event_at_once_and_ends_with_notices(name, tmp_path, capsys):
    run = JournaledRun.make(tmp_path).complete()
    with takes_at_most(5):
        tracker = make(name, context_of(run, target=local_target(tmp_path)))
    for event in read_events(run.folder):
        with takes_at_most(1):
            tracker.tell(event)
    with takes_at_most(90):
        said = tracker.close(within=60.0)
    assert all(isinstance(notice, Notice) for notice in said)


@pytest.mark.parametrize("name", TRACKERS)
def test_a_tracker_may_come_to_a_run_that_goes_on_and_changes_nothing_in_its_record(name, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    events = read_events(run.folder)
    record = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    tracker = make(name, context_of(run, target=local_target(tmp_path)))
    for event in events[len(events) // 2 :]:
        tracker.tell(event)
    assert all(isinstance(notice, Notice) for notice in tracker.close(within=60.0))
    assert {path: path.read_bytes() for path in record} == record


@pytest.mark.parametrize("name", registry.names("trackers"))
def test_a_tracker_with_nothing_to_do_ends_at_once_and_may_be_closed_twice(name):
    tracker = make(name, context_of(target=None))
    with takes_at_most(1):
        assert tracker.close() == ()
        assert tracker.close() == ()


@pytest.mark.slow
def test_a_run_can_be_watched_in_mlflow_while_it_trains_and_is_whole_at_the_end(tmp_path, capfd):
    run = JournaledRun.make(tmp_path)
    target = local_target(tmp_path)
    tracker = MlflowTracker(context_of(run, target=target))
    run.start()
    run.begin_fold((0, 0), epochs=1)
    wait_for((tmp_path / "mlartifacts").exists)
    store = prepare(target, no_pulse)

    def held() -> dict[str, Any]:
        return {found.info.run_name: found for found in store.client.search_runs([store.experiment_id])}

    watched = wait_for(lambda: held().get("fold-0"))
    assert watched.info.status == "RUNNING"
    os.kill(tracker._process.pid, signal.SIGINT)  # as Ctrl-C at a terminal does
    run.append(epoch((0, 0), 2), place=(0, 0))
    run.finish_fold((0, 0))
    for place in run.places[1:]:
        run.begin_fold(place, epochs=2)
        run.finish_fold(place)
    run.end()
    for event in read_events(run.folder):
        with takes_at_most(NO_TIME):
            tracker.tell(event)
    with takes_at_most(30):
        assert tracker.close() == ()
    assert {name: found.info.status for name, found in held().items()} == dict.fromkeys(
        ("Run_High_LR", "fold-0", "fold-1", "fold-2"), "FINISHED"
    )
    mean = held()["Run_High_LR"].data.metrics["cv_accuracy_mean"]
    assert mean == RunRecord.read(run.folder).last_accuracy.mean
    again = sync([run.folder], target)
    assert (again.created, again.completed, again.problems) == (0, 0, ())
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_a_server_that_never_answers_costs_training_nothing_and_the_end_little(tmp_path, capfd):
    run = JournaledRun.make(tmp_path).complete()
    with silent_server() as uri:
        with takes_at_most(2):
            tracker = MlflowTracker(
                context_of(run, target=TrackingTarget(uri=uri, experiment="tracked", artifacts=None))
            )
        for event in read_events(run.folder):
            with takes_at_most(NO_TIME):
                tracker.tell(event)
        process = psutil.Process(tracker._process.pid)
        with takes_at_most(25):  # most of it is the process's start
            (notice,) = tracker.close()
    assert notice.code == "tracking_incomplete"
    assert "foldproof sync" in notice.text
    assert "\n" not in notice.text
    assert "hunter2" not in notice.text + "".join(capfd.readouterr())
    assert not process.is_running()


def test_a_close_that_is_cut_short_says_so_and_leaves_no_process(tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    tracker = MlflowTracker(context_of(run, target=local_target(tmp_path)))
    process = psutil.Process(tracker._process.pid)
    with takes_at_most(3):
        (notice,) = tracker.close(within=0.1)
    assert "foldproof sync" in notice.text
    assert not process.is_running()
    assert tracker.close(within=0.1) == ()


@pytest.mark.slow
def test_what_a_killed_tracking_process_left_is_brought_by_sync(tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    target = local_target(tmp_path)
    tracker = MlflowTracker(context_of(run, target=target))
    tracker._process.kill()
    with takes_at_most(3):
        (notice,) = tracker.close()
    assert "foldproof sync" in notice.text
    report = sync([run.folder], target)
    assert (report.runs, report.created, report.problems) == (1, 1, ())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_when_training_is_killed_what_was_journaled_still_reaches_mlflow_as_killed(tmp_path):
    script = """if True:
        import os, signal, sys
        from pathlib import Path
        from test_trackers import context_of, local_target
        from journaled import JournaledRun
        from foldproof.trackers.mlflow.tracker import MlflowTracker
        run = JournaledRun.make(Path(sys.argv[1]))
        tracker = MlflowTracker(context_of(run, target=local_target(Path(sys.argv[1]))))
        run.start()
        run.begin_fold((0, 0), epochs=2)
        print(tracker._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    pid = int(killed.stdout)
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    store = prepare(local_target(tmp_path), no_pulse)
    found = {one.info.run_name: one for one in store.client.search_runs([store.experiment_id])}
    assert {name: one.info.status for name, one in found.items()} == {"Run_High_LR": "KILLED", "fold-0": "KILLED"}
    assert len(store.client.get_metric_history(found["fold-0"].info.run_id, "val_loss")) == 2


def test_the_tracker_says_why_where_its_process_cannot_start(tmp_path, monkeypatch):
    run = JournaledRun.make(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    tracker = MlflowTracker(context_of(run, target=local_target(tmp_path)))
    tracker.tell(run.append(RunFinished(status="interrupted"))[0])
    (notice,) = tracker.close()
    assert "No such file" in notice.text
