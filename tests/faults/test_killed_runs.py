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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from conftest import draw_classes
from faults.outcome import assert_equal_outcome, assert_last_good_state_loads
from faults.places import Campaign, trials
from foldproof.events import journal
from foldproof.events.types import EpochFinished, FoldFinished, FoldStarted
from foldproof.project import Project

EPOCHS = 12
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


RUN = [sys.executable, "-m", "foldproof", "run", "--quiet"]


def killed(project: Path, kill: Kill, seeded: random.Random, *, resume: bool) -> tuple[float, int]:
    """Start or go on with the run and kill it. When it was killed, 0.0 if it ended before; and its exit code."""
    command = [*RUN, *(["--resume"] if resume else []), *kill.arguments]
    before = sizes(project)
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            until(lambda: process.poll() is not None or sizes(project) != before)
            moment = time.monotonic() + seeded.uniform(0, 1.5)
            if kill.moment == "at random":
                until(lambda: process.poll() is not None or time.monotonic() > moment)
            else:
                states = seeded.randrange(1, 6)
                seen: set[str] = names(project)
                until(lambda: process.poll() is not None or len(names(project) - seen) >= states)
            when = time.time()
            if process.poll() is None and not strike(process, kill.victim):
                when = 0.0
            if kill.victim != "a worker" and when:
                process.wait(timeout=20)
            return (when if process.poll() != 0 or kill.victim == "a worker" else 0.0), process.wait(timeout=300)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def strike(process: "subprocess.Popen[bytes]", victim: str) -> bool:
    """Whether there was somebody to kill."""
    match victim:
        case "the parent":
            process.kill()
        case "all at once":
            os.killpg(process.pid, signal.SIGKILL)
        case _:
            workers = [
                child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())
            ]
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
def test_a_killed_run_goes_on_to_the_same_bits(project, reference):
    wanted = trials(2, share=5)
    campaign = Campaign("kills of a run of 5 folds")
    seeded = random.Random(os.environ.get("FOLDPROOF_SEED", "1"))
    runs = 0
    while len(campaign.rows) < wanted:
        shutil.rmtree(project / "runs", ignore_errors=True)
        resume = False
        for _ in range(seeded.randrange(1, 5) if wanted > 2 else wanted):
            way = seeded.choice(WAYS)
            victim = seeded.choice(VICTIMS if way[0] == "process" else ("the parent",))
            kill = Kill(way, victim, seeded.choice(MOMENTS))
            when, code = killed(project, kill, seeded, resume=resume)
            resume = True
            if when:
                assert code in ((1,) if kill.victim == "a worker" else (-signal.SIGKILL,)), (kill, code)
                row = (f"{way[0]}, {way[1]} at once", kill.victim, kill.moment, *where(project, when))
                campaign.note(f"{len(campaign.rows)} at {when:.3f}", *row)
                print(f"{len(campaign.rows):4d}  {'  '.join(row)}", flush=True)
            assert_last_good_state_loads(project / "runs")
        done = subprocess.run(
            [*RUN, "--resume"],
            cwd=project,
            timeout=300,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert done.returncode == 0
        (folder,) = Project.find(project).run_folders()
        assert_equal_outcome(folder, reference)
        runs += 1
    print(f"{runs} runs were killed and finished; all equal")
    campaign.report()
