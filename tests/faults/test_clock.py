"""A clock that is wrong, or jumps between a run and its going on, changes no result and hides no run."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conftest import draw_classes
from faults.disk import Disk
from faults.outcome import assert_equal_outcome
from faults.runner import Runner
from foldproof.project import Project

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: small_cnn, augment: light, batch_size: 6, epochs: 2, seed: 5}
execution: {executor: inline, checkpoint_every: 0}
"""
DAY = 86_400


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, Disk, Runner]]:
    root = tmp_path / "project"
    draw_classes(root / "images")
    (root / "params.yaml").write_text(SETTINGS)
    with closing(Disk(tmp_path, root / "runs")) as disk, closing(Runner(root, disk.environment)) as runner:
        for folder in Project.find(root).run_folders():
            folder.rename(tmp_path / "warm")
        yield root, disk, runner


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_though_the_clock_jumped(place):
    root, disk, runner = place
    assert (runner.start(), runner.wait())[1] == 0
    (reference,) = Project.find(root).run_folders()
    kept = reference.rename(root / "reference")
    for days in (-400, 400):
        disk.arm("killed after", 150)
        assert (runner.start(), runner.wait())[1] == -9
        (killed,) = Project.find(root).run_folders()
        disk.arm(clock_seconds=days * DAY)
        assert (runner.start(resume=True), runner.wait())[1] == 0
        (resumed,) = Project.find(root).run_folders()
        assert resumed == killed
        assert_equal_outcome(resumed, kept)
        resumed.rename(root / f"resumed {days}")
