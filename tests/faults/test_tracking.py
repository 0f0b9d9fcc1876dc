"""A tracking server that is dead, hangs, fails or loses replies: training never waits, and `sync` makes it exact.

A usual test run tries a few faults on run folders that nobody trained; `make faults` breaks real runs too.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import pytest

from conftest import SETTINGS
from faults.places import report, trials
from faults.proxy import CUT, DELAY, ERROR, HANG, LATE, LOSE, RESET, Proxy, Rule, proxy_before
from faults.store import Server, compare_store, mlflow_server, sync_in_this_process
from foldproof.cli.main import run_command
from foldproof.errors import TrackingError
from foldproof.events.journal import JournalWriter
from foldproof.events.types import EpochFinished, FoldFinished, FoldResumed, RunFinished, RunStarted
from foldproof.project import Project
from foldproof.records.record import read_events
from foldproof.storage import is_held
from foldproof.trackers import TrackerContext, TrackingTarget
from foldproof.trackers.mlflow.projection import Projection
from foldproof.trackers.mlflow.sync import sync
from foldproof.trackers.mlflow.tracker import MlflowTracker
from journaled import JournaledRun, epoch

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="SIGKILL, and a forked server")]
CAMPAIGN = "FOLDPROOF_FAULTS" in os.environ
CREATE = "runs/create$"
MOST_SECONDS = 60.0
MARGIN = 5.0  # for what `run` does after the tracker: the comparison, and the end of Python


@dataclass(frozen=True)
class Fault:
    """What the server does from before the start, and what later; whether MLflow is surely left behind."""

    rules: tuple[Rule, ...] = ()
    dead: bool = False
    back_after: float | None = None
    epochs: int = 2
    incomplete: bool = True


FAULTS = {
    "dead for ever": Fault(dead=True),
    "dead, back after 3 s": Fault(dead=True, back_after=3, epochs=100, incomplete=False),
    "dead, back after 20 s": Fault(dead=True, back_after=20, epochs=400, incomplete=False),
    "hanging": Fault((Rule(HANG),)),
    "hanging when the first run is made": Fault((Rule(HANG, CREATE),)),
    "hanging for uploads": Fault((Rule(HANG, "artifacts"),)),
    "answering 500": Fault((Rule(ERROR),)),
    "answering 500 now and then": Fault(tuple(Rule(ERROR, times=2) for _ in range(3)), incomplete=False),
    "resetting every connection": Fault((Rule(RESET),)),
    "cutting every reply": Fault((Rule(CUT),)),
    "cutting twenty replies": Fault((Rule(CUT, times=20),), epochs=100, incomplete=False),
    "losing one reply to a create": Fault((Rule(LOSE, CREATE, times=1),), incomplete=False),
    "losing three replies to a create": Fault((Rule(LOSE, CREATE, times=3),), incomplete=False),
    "losing every reply to a create": Fault((Rule(LOSE, CREATE),), epochs=100, incomplete=False),
    "losing every reply": Fault((Rule(LOSE),)),
    "making runs 6 s late": Fault((Rule(LATE, CREATE, times=2, seconds=6),), epochs=100, incomplete=False),
    "answering after 1 s": Fault((Rule(DELAY, seconds=1),), incomplete=False),
    "answering after 3 s": Fault((Rule(DELAY, seconds=3),)),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with mlflow_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxy_before(server.port) as proxy:
        yield proxy


@pytest.fixture
def target(proxy: Proxy, request: pytest.FixtureRequest) -> TrackingTarget:
    return TrackingTarget(uri=proxy.address, experiment=request.node.name, artifacts=None)


def some_runs(folder: Path, count: int) -> list[JournaledRun]:
    """Complete ones, and one that failed."""
    runs = [JournaledRun.make(folder, f"20260102-030405-number{number}", k=2) for number in range(count)]
    for run in runs[1:]:
        run.complete()
    runs[0].start()
    runs[0].begin_fold((0, 0), epochs=2)
    runs[0].finish_fold((0, 0))
    runs[0].begin_fold((0, 1), epochs=1)
    runs[0].fail_fold((0, 1))
    runs[0].end("failed")
    return runs


def folders(runs: list[JournaledRun]) -> list[Path]:
    return [run.folder for run in runs]


FAILED = {"20260102-030405-number0": "FAILED", "20260102-030405-number0/0-1": "FAILED"}


def test_what_a_bad_network_did_to_sync_is_made_exact_by_the_next(server, proxy, target, tmp_path):
    seeded, found = random.Random(4), Counter[tuple[str, ...]]()
    for number in range(trials(2, share=20)):
        where = replace(target, experiment=f"{target.experiment} {number}")
        runs = some_runs(tmp_path / str(number), seeded.randint(1, 2))
        action = (LOSE, CUT, LATE, RESET, ERROR)[number % 5]
        path = seeded.choice([CREATE, CREATE, "log-batch", "artifacts", "update", "search", ""])
        times, skipped = seeded.randint(1, 8), seeded.randint(0, 6)
        proxy.behave(Rule("pass", path, times=skipped), Rule(action, path, times=times, seconds=0.5))
        said = [attempt(folders(runs), where) for _ in range(2)]
        proxy.settle()
        proxy.behave()
        final = sync(folders(runs), where)
        assert (final.runs, final.left, final.problems) == (len(runs), (), ())
        compare_store(server, where.experiment, folders(runs), statuses=FAILED)
        again = sync(folders(runs), where)
        assert (again.created, again.completed) == (0, 0)
        found[(action, *said)] += 1
    report("syncs over a bad network: what they said, then exact", found)


def attempt(runs: list[Path], target: TrackingTarget) -> str:
    try:
        return "problems" if sync(runs, target).problems else "done"
    except TrackingError as error:
        return "error" if len(str(error).splitlines()) <= 3 else f"error at length: {error}"


def test_a_run_copied_when_it_was_killed_is_killed_and_finishes_when_the_original_does(server, target, tmp_path):
    run = JournaledRun.make(tmp_path / "here", k=2, about=("another-machine", 1))
    run.start()
    run.begin_fold((0, 0), epochs=1)
    copy = replace(run, folder=tmp_path / "there" / run.run)
    shutil.copytree(run.folder, copy.folder)
    sync([copy.folder], target)
    killed = {run.run: "KILLED", f"{run.run}/0-0": "KILLED"}
    compare_store(server, target.experiment, [copy.folder], statuses=killed)
    run.start()
    run.append(FoldResumed(epoch=1, step=0, file="resume.safetensors"), place=(0, 0))
    run.append(epoch((0, 0), 2), place=(0, 0))
    run.finish_fold((0, 0))
    run.begin_fold((0, 1), epochs=2)
    run.finish_fold((0, 1))
    run.end()
    sync([run.folder], target)
    compare_store(server, target.experiment, [run.folder], statuses={})
    sync([copy.folder], target)
    compare_store(server, target.experiment, [run.folder], statuses={})


def test_sync_without_a_server_ends_with_a_few_lines_and_left_to_another_with_none(
    proxy, server, tiny_project, monkeypatch, capfd
):
    settings = tiny_project / "params.yaml"
    settings.write_text(SETTINGS + f"tracking: {{uri: '{proxy.address}', experiment: commands}}\n", encoding="utf-8")
    run = JournaledRun.make(tiny_project / "runs").complete()
    monkeypatch.chdir(tiny_project)
    for fault in (proxy.refuse, lambda: proxy.behave(Rule(ERROR))):
        fault()
        assert run_command(["sync"]) in (1, 2)
        said = capfd.readouterr()
        assert (said.out, 1 <= len(said.err.splitlines()) <= 3) == ("", True)
        proxy.accept()
    proxy.behave()
    with Projection(run.folder, no_pulse):
        assert run_command(["sync"]) == 0
    said = capfd.readouterr()
    assert said.out == "runs: 0 new in MLflow, 0 completed, 0 already the same\n"
    assert re.fullmatch(r"note: .* in use by process \d+ on .*, which brings it to MLflow\n", said.err)
    assert run_command(["sync"]) == 0
    compare_store(server, "commands", [run.folder], statuses={})


def no_pulse(seconds: float) -> None:
    """Nobody listens."""


class Syncs:
    """Starts syncs in processes of their own, forked from one that has imported MLflow already."""

    def __init__(self, answers: Path) -> None:
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["faults.store", "foldproof.trackers.mlflow.sync", "mlflow.tracking"])
        self._answers = answers
        self._count = 0

    def start(self, runs: list[Path], target: TrackingTarget) -> tuple[BaseProcess, Path]:
        self._count += 1
        answer = self._answers / f"{self._count}.json"
        process = self._context.Process(target=sync_in_this_process, args=(runs, target, answer))
        process.start()
        return process, answer

    def ended(self, process: BaseProcess, answer: Path) -> dict[str, object]:
        process.join(timeout=120)
        assert process.exitcode == 0, process.exitcode
        return dict(json.loads(answer.read_text()))


@pytest.fixture(scope="module")
def syncs(tmp_path_factory: pytest.TempPathFactory) -> Syncs:
    return Syncs(tmp_path_factory.mktemp("answers"))


@pytest.mark.timeout(7200)
def test_a_killed_sync_is_completed_by_the_next(server, proxy, target, syncs, tmp_path):
    seeded, found = random.Random(5), Counter[tuple[str, ...]]()
    for number in range(trials(1, share=20)):
        where = replace(target, experiment=f"{target.experiment} {number}")
        runs = some_runs(tmp_path / str(number), 2)
        proxy.asked.clear()
        process, _ = syncs.start(folders(runs), where)
        asked = seeded.randint(1, 60)
        while sum(proxy.asked.values()) < asked and process.is_alive():
            time.sleep(0.001)
        time.sleep(seeded.uniform(0, 0.02))
        process.kill()
        process.join(timeout=10)
        report_of = sync(folders(runs), where)
        assert (report_of.left, report_of.problems) == ((), ())
        compare_store(server, where.experiment, folders(runs), statuses=FAILED)
        found[("killed" if process.exitcode else "ended by itself",)] += 1
    report("killed syncs, then exact", found)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("machines", [1, 2])
def test_syncs_at_once_bring_everything_once(machines, server, target, syncs, tmp_path):
    """On one machine each run is brought by one of them; two machines have a copy of the runs each."""
    seeded, found = random.Random(6), Counter[tuple[str, ...]]()
    for number in range(trials(1, share=25)):
        where = replace(target, experiment=f"{target.experiment} {number}")
        runs = some_runs(tmp_path / str(number) / "0", 2)
        for machine in range(1, machines):
            shutil.copytree(tmp_path / str(number) / "0", tmp_path / str(number) / str(machine))
        started = []
        for process in range(2 if number % 2 == 0 else 4):
            there = tmp_path / str(number) / str(process % machines)
            started.append(syncs.start([there / run.run for run in runs], where))
            time.sleep(seeded.choice([0, 0, 0.05, 0.3]))
        said = [syncs.ended(*one) for one in started]
        assert all(one["problems"] == [] for one in said)
        assert machines > 1 or sum(one["created"] for one in said) == len(runs)
        compare_store(server, where.experiment, folders(runs), statuses=FAILED)
        found[(f"{len(started)} at once", f"left to another: {sum(len(one['left']) for one in said)}")] += 1
    report(f"syncs at once, {machines} machine(s)", found)


@dataclass
class Ended:
    """How a run ended: its exit code, what it said, seconds between the end of training and its own."""

    code: int
    said: str
    drained: float
    trained: float
    folder: Path


@contextmanager
def watched(process: "subprocess.Popen[bytes]", port: int) -> Iterator[set[str]]:
    """Which processes of the run held a connection to this port, or a password in their command."""
    seen: set[str] = set()
    commands: dict[int, str] = {}  # kept, since one that is ending has none
    done = threading.Event()

    def look(member: psutil.Process) -> None:
        commands[member.pid] = " ".join(member.cmdline()) or commands.get(member.pid, "")
        command = commands[member.pid]
        if "hunter2" in command or any(one.raddr and one.raddr.port == port for one in member.net_connections("tcp")):
            seen.add("tracking" if command.endswith("foldproof.trackers.mlflow.worker") else command)

    def watch() -> None:
        while not done.wait(0.1):
            with suppress(psutil.Error):
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                for member in family:
                    with suppress(psutil.Error):
                        look(member)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join(timeout=10)


def train(project: Path, proxy: Proxy, fault: Fault, experiment: str, out: Path) -> Ended:
    """`foldproof run` while the server misbehaves; imports are written to stderr by Python itself."""
    settings = f"tracking: {{uri: 'http://bob:hunter2@127.0.0.1:{proxy.port}', experiment: {experiment}}}\n"
    (project / "params.yaml").write_text(SETTINGS + settings, encoding="utf-8")
    command = [sys.executable, "-X", "importtime", "-m", "foldproof", "run", "-q"]
    command += ["--set", f"train.epochs={fault.epochs}"]
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    with out.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            with watched(process, proxy.port) as seen:
                if fault.back_after is not None:
                    wait_for(lambda: list(project.glob("runs/*/events.jsonl")), seconds=120)
                    time.sleep(fault.back_after)
                    proxy.accept()
                process.wait(timeout=240)
            ended_at = time.time()
        finally:
            process.kill()
            process.wait()
    lines = out.read_text(encoding="utf-8").splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert {"foldproof.workflow", "torch"} <= imported
    assert not {name for name in imported if name.partition(".")[0] == "mlflow"}
    assert seen <= {"tracking"}
    assert seen or all(rule.action != HANG for rule in fault.rules)
    (folder,) = Project(project / "params.yaml").run_folders()
    events = read_events(folder)
    first = next(event.time for event in events if isinstance(event.body, RunStarted))
    last = max(event.time for event in events if isinstance(event.body, RunFinished))
    said = "\n".join(line for line in lines if not line.startswith("import time:"))
    return Ended(process.returncode, said, ended_at - last, last - first, folder)


def wait_for(what: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.05)


@pytest.mark.skipif(not CAMPAIGN, reason="processes for minutes, by `make faults`")
def test_of_two_trackers_of_one_run_the_last_brings_what_both_recorded(server, target, tmp_path):
    for first_goes_first in (True, False):
        run = JournaledRun.make(tmp_path, f"20260102-030405-{first_goes_first}", k=2)
        run.start()
        run.begin_fold((0, 0), epochs=1)
        first = MlflowTracker(context_of(run, target))
        wait_for(lambda folder=run.folder: is_held(folder / "tracking.lock"), seconds=60)
        second = MlflowTracker(context_of(run, target))
        going, staying = (first, second) if first_goes_first else (second, first)
        with JournalWriter(run.fold_folder((0, 1)), run=run.run, repeat=0, fold=1, about={}):
            run.append(epoch((0, 0), 2), place=(0, 0))
            run.finish_fold((0, 0))
            assert going.close() == ()
        run.begin_fold((0, 1), epochs=2)
        run.finish_fold((0, 1))
        run.end()
        assert staying.close() == ()
    both = [tmp_path / f"20260102-030405-{first_goes_first}" for first_goes_first in (True, False)]
    compare_store(server, target.experiment, both, statuses={})


def context_of(run: JournaledRun, target: TrackingTarget) -> TrackerContext:
    return TrackerContext(folders=(run.folder,), plans=(), target=target, quiet=True, parallel_folds=1)


@pytest.mark.skipif(not CAMPAIGN, reason="real runs, by `make faults`")
@pytest.mark.parametrize("name", FAULTS)
def test_whatever_the_server_does_a_run_ends_well_and_sync_makes_it_exact(
    name, server, proxy, tiny_project, tmp_path, monkeypatch, capfd
):
    fault, experiment = FAULTS[name], re.sub(r"\W+", "-", name)
    if fault.dead:
        proxy.refuse()
    proxy.behave(*(replace(rule) for rule in fault.rules))
    ended = train(tiny_project, proxy, fault, experiment, tmp_path / "stderr")
    assert ended.code == 0, ended.said
    notices = [line for line in ended.said.splitlines() if "foldproof sync" in line]
    assert len(notices) <= 1
    assert all(line.startswith("note: ") for line in notices)
    if fault.incomplete:
        assert len(notices) == 1
    assert "Traceback" not in ended.said
    assert "hunter2" not in ended.said
    assert ended.drained < MOST_SECONDS + MARGIN
    assert [event.body.status for event in read_events(ended.folder) if isinstance(event.body, RunFinished)] == [
        "finished"
    ]
    kinds = Counter(type(event.body) for event in read_events(ended.folder))
    assert (kinds[EpochFinished], kinds[FoldFinished]) == (3 * fault.epochs, 3)
    with capfd.disabled():
        print(f"\n{name}: trained {ended.trained:.2f} s, drained {ended.drained:.2f} s, {dict(proxy.done)}, {notices}")
    proxy.accept()
    proxy.settle()
    proxy.behave()
    monkeypatch.chdir(tiny_project)
    if not notices:
        compare_store(server, experiment, [ended.folder], statuses={})
    assert run_command(["sync"]) == 0
    assert "note:" not in capfd.readouterr().err
    compare_store(server, experiment, [ended.folder], statuses={})
