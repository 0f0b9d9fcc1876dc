"""Parts in a package out of the tree, a file and a line each, are chosen in the settings and taken by every command."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof.records.record import RunRecord, read_events
from recorded import call

PLUGINS = Path(__file__).parent.parent / "plugins"
SETTINGS = """\
version: 1
data: {path: images, image_size: 8, near_duplicates: report}
folds: {k: 3, scheme: SCHEME}
train: {backbone: small_cnn, batch_size: 8, epochs: 1, optimizer: OPTIMIZER}
execution: {executor: inline}
compare: {metric: METRIC}
tracking: {trackers: [TRACKER]}
experiments: {slow: {}, fast: {train: {lr: 0.01}}}
"""
BY_NAME = {"METRIC": "brier", "SCHEME": "by_serial", "OPTIMIZER": "nadam", "TRACKER": "tallied"}
BY_PATH = {
    "METRIC": "'foldproof_extra.brier:brier'",
    "SCHEME": "'foldproof_extra.serial:by_serial'",
    "OPTIMIZER": "'foldproof_extra.nadam:nadam'",
    "TRACKER": "'foldproof_extra.tallied:Tallied'",
}


@pytest.mark.slow
@pytest.mark.parametrize("named", [BY_NAME, BY_PATH], ids=["by name", "by dotted path"])
def test_a_metric_a_scheme_an_optimiser_and_a_tracker_of_another_package_are_taken_by_every_command(named, tmp_path):
    draw_classes(tmp_path / "images")
    settings = SETTINGS
    for word, name in named.items():
        settings = settings.replace(word, name)
    (tmp_path / "params.yaml").write_text(settings)
    path = os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")])

    def typed(*command: str) -> str:
        done = call(tmp_path, "foldproof", *command, PYTHONPATH=path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert json.loads(typed("run", "--json"))["metric"] == named["METRIC"].strip("'")
    assert "brier" in typed("compare")
    typed("report", "-o", "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "Brier score" in page
    assert named["SCHEME"].strip("'") in page
    for folder in sorted((tmp_path / "runs").iterdir()):
        record = RunRecord.read(folder)
        told = json.loads((tmp_path / f"{record.run}.tally.json").read_text())
        assert told == Counter(event.kind for event in read_events(folder))
        assert record.facts["config"]["folds"]["scheme"] == named["SCHEME"].strip("'")
        validated = {fold_id.fold: done for fold_id, done in record.finished.items()}
        assert set(validated) == {0, 1, 2}
        rows = [line.split(",") for line in (folder / "folds.csv").read_text().splitlines()]
        places = {row[8]: int(row[4]) for row in rows[1:]}
        assert all(int("".join(filter(str.isdigit, Path(path).stem))) % 3 == fold for path, fold in places.items())
    examined = call(tmp_path, "foldproof", "doctor", "--json", PYTHONPATH=path).stdout
    checks = [check for check in json.loads(examined)["checks"] if check["name"] == "trackers"]
    assert [check["said"] for check in checks] == (["tallied is installed"] if named is BY_NAME else [])  # runs no code
    said = typed("verify", "slow")
    levels = "L0, L1, L2" if named is BY_NAME else "L0"  # without git nobody knows which code a dotted path led to
    assert said.endswith(f"HOLDS: {levels}\n")
