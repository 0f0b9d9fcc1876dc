"""Several `foldproof run` at once in one fresh project, MLflow's store not made yet: all succeed, and none is mixed up.

`make faults` starts eight at once, twenty times.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SETTINGS, draw_classes
from faults.outcome import assert_equal_outcome
from faults.places import Campaign, trials
from foldproof.project import Project
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.store import prepare

RUN = [sys.executable, "-m", "foldproof", "run", "--again", "--quiet"]


def no_pulse(seconds: float) -> None:
    """Nobody waits."""


@pytest.mark.slow
@pytest.mark.skipif("FOLDPROOF_FAULTS" not in os.environ, reason="eight runs at once, by `make faults`")
@pytest.mark.timeout(7200)
def test_many_at_once_in_a_fresh_project_all_succeed(tmp_path):
    many = 8
    campaign = Campaign(f"{many} at once")
    for trial in campaign.todo(range(trials(1, share=50))):
        root = tmp_path / trial
        draw_classes(root / "images")
        (root / "params.yaml").write_text(SETTINGS)
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
        processes = [
            subprocess.Popen(RUN, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(many)
        ]
        said = [process.communicate(timeout=600)[1] for process in processes]
        assert [process.returncode for process in processes] == [0] * many, said
        assert not [text for text in said if "Traceback" in text or "foldproof sync" in text]
        folders = Project.find(root).run_folders()
        assert len(folders) == many
        for folder in folders[1:]:
            assert_equal_outcome(folder, folders[0])
        assert held_by_mlflow(root) == {folder.name: 4 for folder in folders}
        campaign.note(trial, f"{many} runs, {sum('is being trained by' in text for text in said)} told of another")
        shutil.rmtree(root)
    campaign.report()


def held_by_mlflow(root: Path) -> dict[str, int]:
    """Finished MLflow runs, parent and folds, by foldproof's run id."""
    target = TrackingTarget(uri=f"sqlite:///{root / 'mlflow.db'}", experiment=root.name, artifacts=root / "mlartifacts")
    store = prepare(target, no_pulse)
    found: dict[str, int] = {}
    for run in store.client.search_runs([store.experiment_id]):
        assert run.info.status == "FINISHED"
        found[run.data.tags["foldproof.run_id"]] = found.get(run.data.tags["foldproof.run_id"], 0) + 1
    return found
