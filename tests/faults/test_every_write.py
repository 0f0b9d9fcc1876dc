"""Every operation on the files of a run fails once, or kills who does it: the run goes on to the same bits.

As SQLite's tests do: the 1st, the 2nd, the 3rd … until one run has none left. `make faults` does all of them; a usual
run a few. What is hit and what came of it is shown with `pytest -s`.
"""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import draw_classes
from faults.disk import Disk
from faults.outcome import (
    assert_equal_outcome,
    assert_last_good_state_loads,
    assert_nothing_acknowledged_is_lost,
)
from faults.places import Campaign
from faults.runner import Runner
from foldproof.project import Project

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: "my_models:with_dropout", augment: light, batch_size: 6, epochs: 2, seed: 5}
execution: {executor: inline, checkpoint_every: 0}
"""
MODEL = """\
from torch import nn


def with_dropout(*, classes, pretrained):
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, classes)
    )
"""


@dataclass(frozen=True)
class Place:
    """A project, the disk under its runs, and a process that carries out runs in forked children."""

    root: Path
    disk: Disk
    runner: Runner

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run(self, *, resume: bool = False) -> int:
        """Exit code, or minus the signal."""
        self.runner.start(resume=resume)
        return self.runner.wait()

    def forget(self) -> None:
        """No run has been here."""
        shutil.rmtree(self.runs, ignore_errors=True)
        self.runner.acknowledged.unlink(missing_ok=True)

    def only_run(self) -> Path:
        (folder,) = Project.find(self.root).run_folders()
        return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    base = tmp_path_factory.mktemp("faults")
    root = base / "project"
    draw_classes(root / "images", each=10)
    (root / "params.yaml").write_text(SETTINGS)
    (root / "my_models.py").write_text(MODEL)
    with closing(Disk(base, root / "runs")) as disk, closing(Runner(root, disk.environment)) as runner:
        made = Place(root, disk, runner)
        made.forget()
        yield made


@pytest.fixture(scope="module")
def reference(place: Place, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run that nothing happened to, and how many operations it took."""
    place.disk.arm()
    assert place.run() == 0
    count = place.disk.count
    kept = tmp_path_factory.mktemp("reference") / "run"
    shutil.move(place.only_run(), kept)
    place.forget()
    return kept, count


@pytest.mark.slow
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize(
    "kind", ["fail once", "full from there on", "torn, then killed", "killed before", "killed after"]
)
def test_whatever_operation_fails_nothing_is_lost_and_the_run_goes_on_to_the_same_bits(kind, place, reference):
    folder, count = reference
    usual = random.Random(kind).sample(range(1, count + 1), 1)
    points = range(1, count + 1) if "FOLDPROOF_FAULTS" in os.environ else usual
    campaign = Campaign(f"{kind} at each of {count} operations")
    for point in campaign.todo(points):
        place.forget()
        place.disk.arm(kind, int(point))
        code = place.run()
        hit = place.disk.hit
        place.disk.arm()
        if code == 2:
            assert len(place.runner.error.splitlines()) <= 3
        assert code in ((-9,) if "kill" in kind else (0, 1, 2)), (code, hit)
        told = assert_nothing_acknowledged_is_lost(place.runs, place.runner.acknowledged)
        states = assert_last_good_state_loads(place.runs)
        assert place.run(resume=True) == 0, (hit, place.runner.error)
        assert_equal_outcome(place.only_run(), folder)
        assert_nothing_acknowledged_is_lost(place.runs, place.runner.acknowledged)
        operation, _, path = hit.partition(" ")
        outcome = {-9: "killed", 0: "went on", 1: "a fold failed", 2: "stopped"}[code]
        campaign.note(point, operation, sort_of(path), outcome)
        print(f"{point:>5}  {operation:9} {sort_of(path):22} {outcome}  {told} acknowledged  {states} states")
    campaign.report()


def sort_of(path: str) -> str:
    """A file's name without what is random in it."""
    name = Path(path).name
    if name.startswith((".state", "state")):
        return "a state's tensors" if "safetensors" in name else "a state's description"
    return name.lstrip(".").split(".tmp")[0].rsplit(".", 2)[0] if name.endswith(".tmp") else name
