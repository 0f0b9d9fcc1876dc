"""Runs killed with SIGKILL, at random and while a checkpoint is written: `--resume` goes on to the same bits.

Five folds with augmentation and dropout, by `foldproof run` as a user types it. `make faults` kills 200 times.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from conftest import draw_classes
from faults.outcome import assert_equal_outcome, assert_last_good_state_loads
from faults.places import Campaign, trials
from faults.runner import Runner
from foldproof.events import journal
from foldproof.events.types import EpochFinished, FoldFinished, FoldStarted
from foldproof.project import Project

EPOCHS = 10
SETTINGS = f"""\
version: 1
data: {{path: images, image_size: 8}}
folds: {{k: 5, seed: 1}}
train: {{backbone: "my_models:with_dropout", augment: light, batch_size: 4, epochs: {EPOCHS}, seed: 5}}
execution: {{checkpoint_every: 0.003}}
tracking: {{enabled: false}}
"""
MODEL = """\
from torch import nn


def with_dropout(*, classes, pretrained):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(8 * 8 * 8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, classes),
    )
"""
WAYS = (("inline", 1), ("process", 1), ("process", 2))  # executor, folds at once
VICTIMS = ("the parent", "a worker", "all at once")
MOMENTS = ("at random", "while a checkpoint is written")
NEAR_SECONDS = 0.010


@dataclass(frozen=True)
class Kill:
    """What to kill when, and how the run is carried out."""

    way: tuple[str, int]
    victim: str
    moment: str

    @property
    def arguments(self) -> list[str]:
        return ["--set", f"execution.executor={self.way[0]}", "--set", f"execution.parallel_folds={self.way[1]}"]


USUAL = Kill(("process", 2), "all at once", "while a checkpoint is written")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("killed") / "project"
    draw_classes(root / "images", each=20)
    (root / "params.yaml").write_text(SETTINGS)
    (root / "my_models.py").write_text(MODEL)
    return root


@pytest.fixture(scope="module")
def reference(project: Path) -> Path:
    """A run that nothing happened to."""
    subprocess.run(
        [*RUN, "--set", "execution.executor=inline"], cwd=project, check=True, timeout=300, stdout=subprocess.DEVNULL
    )
    (folder,) = Project.find(project).run_folders()
    kept = project.parent / "reference"
    shutil.move(folder, kept)
    return kept


@pytest.fixture(scope="module")
def runner(project: Path, reference: Path) -> Iterator[Runner]:
    """What forks."""
    with closing(Runner(project, {})) as made:
        shutil.rmtree(project / "runs", ignore_errors=True)
        yield made


RUN = [sys.executable, "-m", "foldproof", "run", "--quiet"]


class Typed:
    """`foldproof run`, typed."""

    def __init__(self, project: Path, kill: Kill, *, resume: bool) -> None:
        self._process = subprocess.Popen(
            [*RUN, *(["--resume"] if resume else []), *kill.arguments],
            cwd=project,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def is_there(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        return self._process.wait(timeout=300)


class Forked:
    """The same in a child of a process that has imported everything, which saves most of the time."""

    def __init__(self, runner: Runner, kill: Kill, *, resume: bool) -> None:
        self._runner = runner
        settings = tuple(part for part in kill.arguments if part != "--set")
        self.pid = runner.start(resume=resume, overrides=settings)

    def is_there(self) -> bool:
        try:
            return psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def wait(self) -> int:
        return self._runner.wait()


def killed(project: Path, run: Typed | Forked, kill: Kill, seeded: random.Random, before: object) -> tuple[float, int]:
    """Kill a run that was started. When it was killed, 0.0 if it ended before; and its exit code."""
    until(lambda: not run.is_there() or sizes(project) != before)
    moment = time.monotonic() + seeded.uniform(0, 1.5)
    if kill.moment == "at random":
        until(lambda: not run.is_there() or time.monotonic() > moment)
    else:
        states, seen = seeded.randrange(1, 6), names(project)
        until(lambda: not run.is_there() or len(names(project) - seen) >= states)
    when = time.time()
    hit = run.is_there() and strike(run.pid, kill.victim)
    code = run.wait()
    return (when if hit and code != 0 else 0.0), code


def strike(pid: int, victim: str) -> bool:
    """Whether there was somebody to kill."""
    match victim:
        case "the parent":
            os.kill(pid, signal.SIGKILL)
        case "all at once":
            os.killpg(pid, signal.SIGKILL)
        case _:
            workers = [child for child in psutil.Process(pid).children() if "spawn_main" in " ".join(child.cmdline())]
            if not workers:
                return False
            max(workers, key=lambda worker: sum(worker.cpu_times()[:2])).kill()
    return True


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.0005)


def sizes(project: Path) -> dict[str, int]:
    """How long the journals of the folds are."""
    return {str(path): path.stat().st_size for path in project.glob("runs/*/fold-*/events.jsonl")}


def names(project: Path) -> set[str]:
    """Names of states and of what will be states, in folds that are trained."""
    found = set()
    for folder in project.glob("runs/*/fold-*"):
        with os.scandir(folder) as entries:
            found |= {entry.name for entry in entries if "state-" in entry.name}
    return found


def where(project: Path, when: float) -> tuple[str, str]:
    """Whether a fold was inside its epochs, and whether a file of a checkpoint was written near the kill."""
    inside = False
    for path in project.glob("runs/*/fold-*/events.jsonl"):
        bodies = [event.body for event in journal.read(path)]
        epochs = sum(isinstance(body, EpochFinished) for body in bodies)
        began = any(isinstance(body, FoldStarted) for body in bodies)
        inside |= began and epochs < EPOCHS and not any(isinstance(body, FoldFinished) for body in bodies)
    written = [path.stat().st_mtime for path in project.glob("runs/*/fold-*/*state-*")]
    near = any(abs(when - moment) <= NEAR_SECONDS for moment in written)
    return "inside an epoch" if inside else "between", "10 ms from a checkpoint write" if near else "elsewhere"


@pytest.mark.slow
@pytest.mark.timeout(14_400)
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_run_goes_on_to_the_same_bits(project, reference, runner):
    wanted = trials(1, share=5)
    campaign = Campaign("kills of a run of 5 folds")
    seeded = random.Random(os.environ.get("FOLDPROOF_SEED", "1"))
    runs = 0
    while len(campaign.rows) < wanted:
        shutil.rmtree(project / "runs", ignore_errors=True)
        resume = False
        for _ in range(seeded.randrange(1, 5) if wanted > 1 else 1):
            way = seeded.choices(WAYS, weights=(5, 1, 1))[0]
            victim = seeded.choice(VICTIMS if way[0] == "process" else ("the parent",))
            kill = Kill(way, victim, seeded.choice(MOMENTS)) if wanted > 1 else USUAL
            before = sizes(project)
            forked = kill.way[0] == "inline"
            run = Forked(runner, kill, resume=resume) if forked else Typed(project, kill, resume=resume)
            when, code = killed(project, run, kill, seeded, before)
            resume = True
            if when:
                assert code in ((1,) if kill.victim == "a worker" else (-signal.SIGKILL,)), (kill, code)
                row = (f"{kill.way[0]}, {kill.way[1]} at once", kill.victim, kill.moment, *where(project, when))
                campaign.note(f"{len(campaign.rows)} at {when:.3f}", *row)
                print(f"{len(campaign.rows):4d}  {'  '.join(row)}", flush=True)
            assert_last_good_state_loads(project / "runs")
        runner.start(resume=True)
        assert runner.wait() == 0
        (folder,) = Project.find(project).run_folders()
        assert_equal_outcome(folder, reference)
        runs += 1
    print(f"{runs} runs were killed and finished; all equal")
    campaign.report()
