"""Typed in this process or in one of its own, a command prints the same, and leaves nothing behind here."""

import gc
import os
import re
import sys
import warnings

import pytest
import torch

from conftest import draw_classes
from foldproof.records.record import RunRecord
from lab.typed import process, typed

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: 'own_net:net', batch_size: 8, epochs: 1, seed: 5}
execution: {executor: inline}
tracking: {enabled: false}
"""
NET = """\
from torch import nn


def net(*, classes, pretrained):
    return nn.Sequential(nn.Flatten(), nn.Linear(192, classes, bias=BIAS))
"""
SAID_ALIKE = (
    "--version",
    "--help",
    "",
    "confg",
    "config --json",
    "config --set train.lr=fast",
    "data check",
    "data check --json",
    "runs",
    "compare",
    "compare --json",
    "compare Nothing",
    "verify default --level 1",
    "diff default default",
    "run --fold x",
    "run",
)


def make(root, *, bias=True):
    draw_classes(root / "images")
    (root / "own_net.py").write_text(NET.replace("BIAS", str(bias)))
    (root / "params.yaml").write_text(SETTINGS)
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = make(tmp_path_factory.mktemp("typed") / "project")
    typed(root, "run", "--quiet")
    return root


def told(done):
    return done.returncode, re.sub(r"\b\d+\.\d s\b", "some s", done.stdout), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", SAID_ALIKE)
def test_a_command_prints_and_ends_as_in_a_process_of_its_own(words, trained):
    assert told(typed(trained, *words.split(), code=None)) == told(process(trained, *words.split(), code=None))


@pytest.mark.slow
def test_a_run_has_the_bits_of_one_in_a_process_of_its_own(trained):
    before = set((trained / "runs").iterdir())
    process(trained, "run", "--again", "--quiet")
    (other,) = set((trained / "runs").iterdir()) - before
    (first,) = before
    weights = [
        {place: end.weights_sha256 for place, end in RunRecord.read(run).finished.items()} for run in (first, other)
    ]
    assert len(weights[0]) == 2
    assert weights[0] == weights[1]


@pytest.mark.slow
def test_a_module_of_one_project_does_not_stand_for_that_of_another(tmp_path):
    sizes = set()
    for name, bias in (("one", True), ("two", False)):
        root = make(tmp_path / name, bias=bias)
        typed(root, "run", "--quiet", "--set", "train.epochs=1")
        sizes |= {model.stat().st_size for model in root.glob("runs/*/fold-0-0/model.safetensors")}
    assert len(sizes) == 2


def test_what_a_command_changes_in_its_process_is_taken_back(tmp_path):
    def state():
        return (
            os.getcwd(),  # noqa: PTH109 - as the process has it
            dict(os.environ),
            sys.path[:],
            sys.argv,
            sys.stdin,
            sys.stdout,
            sys.stderr,
            gc.get_threshold(),
            warnings.filters[:],
            torch.get_num_threads(),
            torch.get_deterministic_debug_mode(),
            "own_net" in sys.modules,
        )

    root = make(tmp_path / "project")
    before = state()
    typed(root, "run", "--quiet")
    typed(root, "compare", "Nothing", code=2, FOLDPROOF_DEBUG="")
    assert state() == before


def test_what_is_written_past_python_is_heard_too(tmp_path):
    root = make(tmp_path / "project")
    (root / "own_net.py").write_text("import os\n" + NET.replace("BIAS", "os.write(1, b'by number') > 0"))
    assert "by number" in typed(root, "run", "--quiet").stdout
