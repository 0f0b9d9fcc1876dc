"""A metric added as CONTRIBUTING.md says is one function and one name: run, compare, report and verify take it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof.records.record import RunRecord
from recorded import INLINE

METRIC = """\
import numpy as np


def sureness(probabilities, labels):
    if len(labels) == 0:
        return float("nan")
    return float(np.mean(probabilities[np.arange(len(labels)), labels].astype(np.float64)))


sureness.higher_is_better = True
"""
CALLED = """\
import contextlib, io, json, sys
from foldproof import registry
from foldproof.cli.main import run_command
if sys.argv[1]:
    registry.SEAMS = {**registry.SEAMS, "metrics": {**registry.SEAMS["metrics"], "sureness": sys.argv[1]}}
done = []
for command in json.loads(sys.argv[2]):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run_command(command)
    done.append([code, out.getvalue()])
print(json.dumps(done))
"""
WAYS = {  # the name in the settings; the line in the registry
    "a dotted path": ("own_metric:sureness", ""),
    "a line in the registry": ("sureness", "own_metric:sureness"),
    "an installed package": ("sureness", ""),
}


def called(root: Path, line: str, *commands: list[str]) -> list[tuple[int, str]]:
    """Exit code and output of each command, in one process that finds what is installed in `site`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "site"), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", CALLED, line, json.dumps(commands)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return [(code, said) for code, said in json.loads(done.stdout.splitlines()[-1])]


def with_metric(root: Path, way: str) -> None:
    """The metric where that way looks for it."""
    site = root / "site"
    site.mkdir(parents=True)
    (root / "own_metric.py" if way == "a dotted path" else site / "own_metric.py").write_text(METRIC)
    if way == "an installed package":
        info = site / "own_metric-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-metric\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[foldproof.metrics]\nsureness = own_metric:sureness\n")


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_metric_of_ones_own_is_taken_by_every_command(way, tmp_path):
    name, line = WAYS[way]
    root = tmp_path / "project"
    draw_classes(root / "images")
    with_metric(root, way)
    settings = INLINE.replace("epochs: 3", "epochs: 1")
    (root / "params.yaml").write_text(f"{settings}compare: {{metric: '{name}'}}\ntracking: {{enabled: false}}\n")
    commands = (["run", "--json"], ["compare"], ["compare", "--json"], ["report", "-o", "r.html"], ["verify", "slow"])
    ran, compared, as_json, reported, verified = called(root, line, *commands)
    assert [code for code, _ in (ran, compared, as_json, reported, verified)] == [0] * 5
    assert json.loads(ran[1])["metric"] == name
    document = json.loads(as_json[1])
    assert document["metric"] == name
    assert {one["experiment"] for one in document["runs"]} == {"slow", "fast"}
    assert "verdict:" in compared[1]
    assert name.rpartition(":")[2] in (root / "r.html").read_text()
    assert "HOLDS: L0, L1, L2" in verified[1]
    runs = [RunRecord.read(folder) for folder in sorted((root / "runs").iterdir())]
    recorded = {"sureness" in end.scores for run in runs for end in run.finished.values()}
    assert recorded == {way != "a dotted path"}  # what has a name is measured at the end of every fold
    assert all(run.facts["settings"]["compare"]["metric"] == name for run in runs)


@pytest.mark.slow
def test_a_metric_that_does_not_say_which_direction_is_better_is_refused_before_the_first_epoch(tmp_path):
    root = tmp_path / "project"
    draw_classes(root / "images")
    with_metric(root, "a dotted path")
    (root / "own_metric.py").write_text(METRIC.replace("sureness.higher_is_better = True", ""))
    (root / "params.yaml").write_text(
        f"{INLINE}compare: {{metric: 'own_metric:sureness'}}\ntracking: {{enabled: false}}\n"
    )
    ((code, _),) = called(root, "", ["run", "--json"])
    assert code == 2
    assert not (root / "runs").exists()
