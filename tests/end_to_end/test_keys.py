"""What is shown as "nothing to train" is what training would give: whatever decides about its bits is in its key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keyed.changes import DECIDE, DO_NOT_DECIDE

TESTS = Path(__file__).parents[1]
FOLDS = 2


@pytest.fixture(scope="module")
def left(tmp_path_factory) -> dict[str, object]:
    """By the name of a change, the folds that `run` would train after it."""
    place = tmp_path_factory.mktemp("keyed")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
    command = [sys.executable, "-m", "keyed", str(place)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads((place / "said.json").read_text())
    return said


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [change.name for change in DECIDE])
def test_what_decides_about_the_bits_is_trained_again(left, name):
    assert left[name] == FOLDS


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [change.name for change in DO_NOT_DECIDE])
def test_what_does_not_decide_costs_nobody_a_fold(left, name):
    assert left[name] == 0
