"""A disk that fills while a run trains: it ends cleanly with the path and the cause, and goes on once there is room.

A real file system of its own (tmpfs); only root may make one, so elsewhere this is left out.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import draw_classes
from faults.outcome import assert_equal_outcome, assert_last_good_state_loads
from faults.places import trials
from foldproof.project import Project

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: small_cnn, augment: light, batch_size: 4, epochs: 25, seed: 5}
execution: {checkpoint_every: 0.001, parallel_folds: 2}
tracking: {enabled: false}
"""
RUN = [sys.executable, "-m", "foldproof", "run", "--quiet"]
LEAST_FREE = 200_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose runs lie on a disk of 64 MB."""
    root = tmp_path_factory.mktemp("full") / "project"
    draw_classes(root / "images", each=12)
    (root / "params.yaml").write_text(SETTINGS)
    subprocess.run(RUN, cwd=root, check=True, timeout=120, stdout=subprocess.DEVNULL)
    (root / "runs").rename(root / "reference")
    (root / "runs").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(root / "runs")]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("only root may mount a file system")
    try:
        yield root
    finally:
        subprocess.run(["umount", str(root / "runs")], check=True)


def fill(runs: Path, *, after: float, least: int, done: threading.Event) -> None:
    """Leave `least` bytes free from `after` seconds after the first fold began."""
    while not list(runs.glob("*/fold-*/events.jsonl")) and not done.is_set():
        time.sleep(0.001)
    time.sleep(after)
    with (runs / "ballast").open("wb") as file:
        while (free := os.statvfs(runs)).f_bavail * free.f_bsize > least:
            try:
                file.write(b"\0" * min(1_000_000, free.f_bavail * free.f_bsize - least))
                file.flush()
            except OSError:
                return


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_disk_that_fills_ends_the_run_cleanly_and_with_room_it_goes_on(project):
    (reference,) = (project / "reference").glob("2*")
    for number in range(trials(1, share=50)):
        for folder in Project.find(project).run_folders():
            subprocess.run(["rm", "-r", str(folder)], check=True)
        done = threading.Event()
        filling = threading.Thread(
            target=fill,
            kwargs={
                "runs": project / "runs",
                "after": 0.15 * (number % 5),
                "least": LEAST_FREE * (number % 2),
                "done": done,
            },
        )
        filling.start()
        ended = subprocess.run(RUN, cwd=project, capture_output=True, text=True, timeout=120, check=False)
        done.set()
        filling.join()
        lines = ended.stderr.strip().splitlines()
        assert ended.returncode == 2, ended.stderr
        assert "Traceback" not in ended.stderr
        assert "No space left on device" in lines[-2]
        assert str(project / "runs") in lines[-2]
        assert "foldproof run --resume" in lines[-1]
        assert_last_good_state_loads(project / "runs")
        still = subprocess.run(
            [*RUN, "--resume"], cwd=project, capture_output=True, text=True, timeout=120, check=False
        )
        assert still.returncode == 2
        assert len(still.stderr.strip().splitlines()) <= 3
        (project / "runs" / "ballast").unlink()
        again = subprocess.run(
            [*RUN, "--resume"], cwd=project, capture_output=True, text=True, timeout=120, check=False
        )
        assert again.returncode == 0, again.stderr
        (folder,) = Project.find(project).run_folders()
        assert_equal_outcome(folder, reference)
        print(lines[-2])


@pytest.mark.slow
def test_too_little_room_is_said_before_the_first_epoch(project):
    subprocess.run(["rm", "-rf", *map(str, Project.find(project).run_folders())], check=True)
    command = [*RUN, "--set", "train.backbone=resnet18", "--set", "data.image_size=32"]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "0.07 GB free, and 2 folds will write about" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) <= 3
    assert not Project.find(project).run_folders()
