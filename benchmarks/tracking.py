"""What being tracked costs: processor time of the journals and of the tracking process beside that of the training.

    python -m benchmarks.tracking [--epochs 60] [--pairs 3] [--images 1600]

Draws images in a temporary folder; two folds of small_cnn are trained with tracking and without, in alternation, each
with a fresh SQLite store. Of every run: processor seconds (user and system) of all processes, of the tracking process
until MLflow was loaded and its store open, and of it afterwards; then what an event costs in a journal. The share
counts the tracking process after its opening, which happens once a run, and the journals' events.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from foldproof.events.journal import JournalWriter
from foldproof.events.types import EpochFinished
from foldproof.provenance.machine import describe

TRACKER = "foldproof.trackers.mlflow.worker"
SETTINGS = """version: 1
data: {{path: images, image_size: 32}}
folds: {{k: 2, seed: 42}}
train: {{backbone: small_cnn, lr: 0.001, batch_size: 64, epochs: {epochs}, seed: 42}}
experiments: {{one: {{}}}}
tracking: {{experiment: tracked, enabled: {enabled}}}
"""


def draw(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number % 10}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 120, (32, 32, 3), dtype=np.uint8) + np.uint8(12 * (number % 10))
        Image.fromarray(pixels).save(path)


def seconds_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def run(project: Path, *, epochs: int, tracked: bool) -> tuple[float, float, float]:
    """Processor seconds: of all processes; of the tracking process up to the first epoch's point and afterwards."""
    (project / "params.yaml").write_text(SETTINGS.format(epochs=epochs, enabled=str(tracked).lower()), encoding="utf-8")
    (project / "mlflow.db").unlink(missing_ok=True)
    shutil.rmtree(project / "mlartifacts", ignore_errors=True)  # whose first file says that the store is open
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = subprocess.Popen(
        [sys.executable, "-m", "foldproof", "run", "--quiet", "--again", "--no-reuse"],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    opening, last, tracker = 0.0, 0.0, None
    while running.poll() is None:
        time.sleep(0.05)
        try:
            tracker = tracker or next(
                (one for one in psutil.Process(running.pid).children() if TRACKER in one.cmdline()), None
            )
            if tracker is not None:
                last = seconds_of(tracker)
                if not opening and any((project / "mlartifacts").glob("*")):
                    opening = last
        except psutil.Error:
            continue
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if running.returncode:
        raise SystemExit("the run failed")
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return total, opening, last - opening


def seconds_of_an_event(folder: Path, count: int = 500) -> float:
    """Processor seconds of an epoch's event in a journal."""
    body = EpochFinished(
        epoch=1,
        steps=25,
        lr=0.001,
        train_loss=0.1234567,
        train_accuracy=0.9,
        val_loss=0.7654321,
        val_accuracy=0.8,
        weights_sha256="0" * 64,
    )
    folder.mkdir()
    with JournalWriter(folder, run="20260101-000000-abcdef", repeat=0, fold=0, about={}) as journal:
        begun = time.process_time()
        for _ in range(count):
            journal.append(body)
        return (time.process_time() - begun) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--images", type=int, default=1600)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        draw(project / "images", asked.images)
        run(project, epochs=1, tracked=False)  # images looked through and decoded
        event = seconds_of_an_event(project / "journal")
        shares = []
        print(f"{'tracked':>9}{'not':>9}{'opening':>9}{'after':>9}{'an epoch':>10}{'share':>8}   processor seconds")
        for number in range(asked.pairs):
            order = (True, False) if number % 2 == 0 else (False, True)
            found = {tracked: run(project, epochs=asked.epochs, tracked=tracked) for tracked in order}
            (total, opening, afterwards), (plain, _, _) = found[True], found[False]
            epochs = 2 * asked.epochs
            shares.append((afterwards + epochs * event) / plain)
            print(
                f"{total:9.1f}{plain:9.1f}{opening:9.2f}{afterwards:9.2f}{plain / epochs:10.2f}{shares[-1]:8.2%}",
                flush=True,
            )
    print(f"share: {statistics.median(shares):.2%} ({min(shares):.2%} to {max(shares):.2%}, n = {asked.pairs})")
    print(f"an event in a journal: {1000 * event:.2f} ms")
    print(describe(), "load", [round(value, 1) for value in psutil.getloadavg()])


if __name__ == "__main__":
    main()
