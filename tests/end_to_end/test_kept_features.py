"""The features of a frozen backbone are computed once and kept; wherever they come from, the bits are the same.

The backbone writes a line for every chunk of the canonical pass, so that passes can be counted.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conftest import draw, draw_classes
from foldproof import registry
from foldproof.cli.data import command
from foldproof.config.read import load_settings
from foldproof.data.rows.cache import kept
from foldproof.events import journal
from foldproof.events.types import Notice
from foldproof.project import Project
from foldproof.records.record import RunRecord, read_events
from foldproof.training.frozen import rows
from foldproof.workflow import RunReport, preview_run, run

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: "counted:wide", pretrained: true, freeze_backbone: true, batch_size: 4, epochs: 2, seed: 5}
experiments: {First: {}, Second: {train: {lr: 0.01}}}
execution: {executor: inline}
"""
MODEL = """\
import time
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).parent


class Counted(nn.Module):
    def forward(self, images):
        if len(images) == 32:
            with (HERE / "chunks.txt").open("a") as file:
                file.write("chunk\\n")
            lines = (HERE / "chunks.txt").read_text().count("chunk")
            if (HERE / "slow").exists():
                time.sleep(60)
            if (HERE / "stop").exists() and lines > 1:
                raise KeyboardInterrupt
        return images


def wide(*, classes, pretrained):
    with torch.random.fork_rng(devices=[], enabled=pretrained):
        if pretrained:
            torch.manual_seed(int((HERE / "seed.txt").read_text()))
        trunk = [Counted(), nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*trunk, nn.Dropout(0.2), nn.Linear(8 * 36, classes))
"""
TOO_LITTLE = "execution.cache_gb=0.00001"  # room for 18 decoded images, not for their features


def project_at(folder: Path, *, each: int = 6) -> Path:
    draw_classes(folder / "images", each=each)
    (folder / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "counted.py").write_text(MODEL, encoding="utf-8")
    (folder / "seed.txt").write_text("3")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A project whose backbone is its own: modules are known by name, and other tests have others."""
    yield project_at(tmp_path / "project")
    sys.modules.pop("counted", None)


def carry_out(folder: Path, *overrides: str) -> RunReport:
    sys.modules.pop("counted", None)
    project = Project.find(folder)
    report = run(project, load_settings(project.settings_file, overrides=overrides), quiet=True)
    assert report.all_finished
    return report


def bits(report: RunReport) -> dict[str, object]:
    return {RunRecord.read(at).experiment: journal.group_by_fold(read_events(at)) for at in report.statuses}


def chunks(folder: Path) -> int:
    """How many chunks went through the trunk since the last look."""
    file = folder / "chunks.txt"
    count = file.read_text().count("chunk") if file.exists() else 0
    file.unlink(missing_ok=True)
    return count


def feature_files(folder: Path) -> list[Path]:
    return [item.path for item in kept(Project.find(folder).cache) if item.kind == "features"]


def codes(report: RunReport) -> list[str]:
    return [notice.code for notice in report.notices if isinstance(notice, Notice)]


@pytest.mark.slow
def test_cold_warm_damaged_or_nowhere_the_features_are_the_same_bits(place: Path) -> None:
    cold = bits(carry_out(place))
    assert chunks(place) == 1
    assert bits(carry_out(place)) == cold
    assert chunks(place) == 0
    (file,) = feature_files(place)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    assert bits(carry_out(place)) == cold
    assert chunks(place) == 1
    file.unlink()
    nowhere = carry_out(place, TOO_LITTLE)
    assert bits(nowhere) == cold
    assert chunks(place) == 6
    assert "features_not_kept" in codes(nowhere)
    assert not feature_files(place)


@pytest.mark.slow
def test_of_added_images_alone_features_are_computed(place: Path) -> None:
    draw_classes(place / "images", each=14)
    carry_out(place)
    assert chunks(place) == 2
    for number in range(3):
        draw(place / "images" / "cat" / f"new {number}.png", label=0, number=70 + number)
    grown = bits(carry_out(place))
    assert chunks(place) == 1
    for file in feature_files(place):
        file.unlink()
    assert bits(carry_out(place)) == grown
    assert chunks(place) == 2


@pytest.mark.slow
def test_what_was_computed_before_an_interruption_is_not_computed_again(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PART", 32)
    draw_classes(place / "images", each=24)  # 72 images: three parts
    (place / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        carry_out(place)
    assert chunks(place) == 2
    (place / "stop").unlink()
    resumed = bits(carry_out(place))
    assert chunks(place) == 2
    assert len(feature_files(place)) == 1
    assert bits(carry_out(project_at(tmp_path / "fresh", each=24))) == resumed


@pytest.mark.slow
def test_random_frozen_weights_differ_from_fold_to_fold_and_experiments_share_them(place: Path) -> None:
    random = ("train.pretrained=false",)
    first = bits(carry_out(place, *random))
    assert chunks(place) == 3
    assert bits(carry_out(place, *random)) == first
    assert chunks(place) == 0
    assert bits(carry_out(place, *random, TOO_LITTLE)) == first
    carry_out(place, *random, "train.seed=6")
    assert chunks(place) == 3


@pytest.mark.slow
def test_other_weights_are_other_features(place: Path) -> None:
    carry_out(place)
    (place / "seed.txt").write_text("4")
    carry_out(place)
    assert chunks(place) == 2
    assert len(feature_files(place)) == 2


@pytest.mark.slow
def test_augmented_images_go_through_the_frozen_backbone_in_every_step_and_it_is_said(place: Path) -> None:
    plain = bits(carry_out(place))
    chunks(place)
    augmented = carry_out(place, "train.augment=light")
    assert codes(augmented).count("features_of_augmented") == 2
    assert chunks(place) == 2 * 3 * 2 * 3  # experiments, folds, epochs, steps
    assert bits(augmented) != plain
    assert bits(carry_out(place, "train.augment=light", "train.batch_size=4")) == bits(augmented)


@pytest.mark.slow
def test_a_plan_counts_features_once_and_not_where_they_are_kept_and_the_cache_lists_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    call = CliRunner().invoke

    def planned() -> dict[str, Any]:
        sys.modules.pop("counted", None)
        project = Project.find(place)
        return preview_run(project, load_settings(project.settings_file)).to_json()

    before = planned()
    carry_out(place)
    after = planned()
    assert before["features_seconds"] > 0
    assert after["features_seconds"] == 0
    for plan in (before, after):
        folds = sum(one["seconds"] for one in plan["experiments"])
        assert plan["seconds"] == pytest.approx(plan["features_seconds"] + folds)
    caches = json.loads(call(command, ["cache", "--json"]).stdout)["caches"]
    assert {(item["kind"], item["images"]) for item in caches} == {("images", 18), ("features", 18)}
    assert "288 by counted:wide" in call(command, ["cache"]).stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("executor", "at_once"), [("process", 1), *((executor, 2) for executor in registry.names("executors"))]
)
def test_every_executor_computes_the_features_of_inline_once(place: Path, executor: str, at_once: int) -> None:
    inline = bits(carry_out(place))
    (file,) = feature_files(place)
    content = file.read_bytes()
    file.unlink()
    chunks(place)
    other = carry_out(place, f"execution.executor={executor}", f"execution.parallel_folds={at_once}")
    assert bits(other) == inline
    assert file.read_bytes() == content
    assert chunks(place) == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_while_it_computes_features_leaves_nothing_wrong(
    place: Path, number: signal.Signals
) -> None:
    (place / "slow").touch()
    command = [sys.executable, "-m", "foldproof", "run", "-q", "--set", "tracking.enabled=false"]
    ended = subprocess.Popen([*command, "--set", "execution.executor=process"], cwd=place, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not (place / "chunks.txt").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        ended.send_signal(number)
        _, said = ended.communicate(timeout=20)
        assert b"Traceback" not in said
        assert number == signal.SIGKILL or ended.returncode == 130
    finally:
        ended.kill()
        ended.wait(timeout=20)
    (place / "slow").unlink()
    chunks(place)
    assert not feature_files(place)
    assert not Project.find(place).run_folders()
    again = bits(carry_out(place))
    assert chunks(place) == 1
    (file,) = feature_files(place)
    file.unlink()
    assert bits(carry_out(place)) == again
    assert not list(file.parent.glob(".*.tmp"))
