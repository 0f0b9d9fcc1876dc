"""A tracker that is registered can be chosen: it hears of every event, and what it does wrong costs no training."""

import sys
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof import registry
from foldproof.cli.main import run_command
from foldproof.project import Project
from foldproof.records.record import RunRecord, read_events
from recorded import INLINE

TRACKER = """\
from pathlib import Path


class Noting:
    def __init__(self, context):
        self.file = Path("heard.txt").open("a")

    def tell(self, event):
        print(event.kind, event.run, file=self.file, flush=True)

    def close(self, *, within=60.0):
        self.file.close()
        return ()


class Failing(Noting):
    def tell(self, event):
        super().tell(event)
        raise ValueError("no such channel")
"""
SETTINGS = INLINE.replace("epochs: 3", "epochs: 1").replace(", fast: {train: {lr: 0.01}}", "")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    root = tmp_path / "project"
    draw_classes(root / "images")
    (root / "own_tracker.py").write_text(TRACKER)
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.delitem(sys.modules, "own_tracker", raising=False)
    return Project(root / "params.yaml")


def ran(project: Project, tracking: str) -> RunRecord:
    project.settings_file.write_text(f"{SETTINGS}tracking: {{{tracking}}}\n")
    assert run_command(["run"]) == 0
    (folder,) = project.run_folders()
    return RunRecord.read(folder)


def heard() -> list[str]:
    return Path("heard.txt").read_text().splitlines()


@pytest.mark.slow
def test_a_tracker_of_ones_own_is_named_in_the_settings_and_hears_of_everything(project, capsys):
    record = ran(project, "trackers: [console, 'own_tracker:Noting']")
    kinds = [event.kind for event in read_events(record.folder)]
    assert sorted(line.split()[0] for line in heard()) == sorted(kinds)
    assert {line.split()[1] for line in heard()} == {record.run}
    assert "slow finished" in capsys.readouterr().err
    assert not (project.root / "mlflow.db").exists()  # it is not among those that are named


@pytest.mark.slow
def test_a_tracker_that_fails_is_told_no_more_and_training_goes_on(project, capsys):
    record = ran(project, "trackers: ['own_tracker:Failing']")
    assert record.status == "finished"
    assert len(heard()) == 1
    said = capsys.readouterr().err
    assert "note: the tracker own_tracker:Failing failed and hears no more: ValueError: no such channel" in said
    assert "slow finished" not in said  # the console is not among those that are named


@pytest.mark.slow
def test_a_tracker_that_cannot_start_is_said_before_the_first_epoch(project, capsys):
    (project.root / "own_tracker.py").write_text(TRACKER.replace('Path("heard.txt")', 'Path("no/folder")'))
    project.settings_file.write_text(f"{SETTINGS}tracking: {{trackers: ['own_tracker:Noting']}}\n")
    assert run_command(["run"]) == 2
    said = capsys.readouterr().err
    assert "the tracker own_tracker:Noting cannot start: FileNotFoundError" in said
    assert "then `foldproof run --resume`" in said
    assert all(not RunRecord.read(folder).epochs for folder in project.run_folders())
    project.settings_file.write_text(f"{SETTINGS}tracking: {{trackers: [console]}}\n")
    assert run_command(["run", "--resume"]) == 0
    assert [RunRecord.read(folder).status for folder in project.run_folders()] == ["finished"]


def test_a_tracker_that_nobody_knows_is_a_mistake_in_the_settings(project, capsys):
    project.settings_file.write_text(f"{SETTINGS}tracking: {{trackers: [console, mlflwo]}}\n")
    assert run_command(["run"]) == 2
    known = ", ".join(registry.names("trackers"))
    said = (
        f"tracking.trackers: must be one of: {known}; or 'your_module:attribute'; not 'mlflwo'; did you mean 'mlflow'?"
    )
    assert said in capsys.readouterr().err
    for wrong in ("mlflow", "{a: b}", "[3]", "[]]"):
        project.settings_file.write_text(f"{SETTINGS}tracking: {{trackers: {wrong}}}\n")
        assert run_command(["run"]) == 2
    assert not (project.root / "runs").exists()


def test_settings_with_trackers_are_printed_as_a_settings_file(project, capsys):
    project.settings_file.write_text(f"{SETTINGS}tracking: {{trackers: [console]}}\n")
    assert run_command(["config"]) == 0
    project.settings_file.write_text(capsys.readouterr().out)
    assert run_command(["config", "--json"]) == 0
    assert '"trackers": [\n      "console"\n    ]' in capsys.readouterr().out
