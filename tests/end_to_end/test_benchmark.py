"""The smallest work, measured for real."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.thorough
def test_a_pair_is_the_same_work_on_both_sides_with_its_time_and_memory(tmp_path):
    call = [sys.executable, "-m", "benchmarks.round", "tiny", json.dumps({"usual": []}), "1"]
    done = subprocess.run(
        [*call, "--place", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=580, check=False
    )
    assert done.returncode == 0, done.stderr
    pair = json.loads(done.stdout)
    assert (pair["work"], pair["number"]) == ("tiny", 1)
    assert set(pair["accuracy"]) == {"One"}
    for side in ("theirs", "ours"):
        assert 0 < pair[side]["cpu"] < pair[side]["wall"] * pair[side]["cores"]
        assert pair[side]["peak_rss"] > 10**8
