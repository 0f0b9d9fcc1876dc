"""What a run leaves for people when it has ended."""

import hashlib
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.after_run.dvc_files import write_dvc_files
from foldproof.after_run.reports import write_reports
from foldproof.config.schema import Settings, TrackingSettings
from foldproof.events.types import ArtifactAdded, Notice
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.trackers.mlflow.desired_runs import desired_runs
from foldproof.trackers.mlflow.run_folder import RunReader
from scored import Scored, write_run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "params.yaml").write_text("version: 1\n")
    write_run(tmp_path / "runs", "20260102-030405-aaaaaa", Scored(experiment="First"))
    write_run(tmp_path / "runs", "20260102-030406-bbbbbb", Scored(experiment="Second", seed=1, finished=2, failed=(2,)))
    return Project(tmp_path / "params.yaml")


@pytest.fixture
def stopping():
    with closing(Stopping()) as made:
        yield made


def names(said) -> set[str]:
    return {body.file for _, body in said if isinstance(body, ArtifactAdded)}


def test_a_report_its_figures_a_table_of_folds_and_a_comparison_with_the_newest_of_the_others(project, stopping):
    first, _ = project.run_folders()
    said = list(write_reports(project, Settings(), [first], stopping))
    assert {
        "report/report.html",
        "report/report.md",
        "report/folds.csv",
        "report/comparison.csv",
        "report/comparison.md",
    } < names(said)
    assert any(name.startswith("report/report_files/curves") for name in names(said))
    for folder, body in said:
        assert body.sha256 == hashlib.sha256((folder / body.file).read_bytes()).hexdigest()
    comparison = (first / "report" / "comparison.csv").read_text()
    assert "First" in comparison
    assert "Second" in comparison
    assert "Second" not in (first / "report" / "folds.csv").read_text()


def test_a_run_with_a_failed_fold_has_a_report_and_one_without_a_finished_fold_has_none(project, stopping):
    _, second = project.run_folders()
    assert "report/report.html" in names(write_reports(project, Settings(), [second], stopping))
    none = write_run(project.runs, "20260102-030407-cccccc", Scored(experiment="Third", finished=0)).folder
    assert list(write_reports(project, Settings(), [none], stopping)) == []


def test_a_report_that_cannot_be_written_is_a_notice_and_the_next_run_gets_its_own(project, stopping):
    first, second = project.run_folders()
    (first / "report").write_text("in the way")
    said = list(write_reports(project, Settings(), [first, second], stopping))
    assert [type(body) for folder, body in said if folder == first] == [Notice]
    assert "no report was written" in said[0][1].text
    assert "report/report.html" in names(said)


def test_with_privacy_only_weights_and_a_report_without_paths_go_to_mlflow(project, stopping):
    first, _ = project.run_folders()
    private = Settings(tracking=TrackingSettings(privacy=True))
    before = [body for _, body in write_reports(project, Settings(), [first], stopping)]  # privacy came later
    bodies = [body for _, body in write_reports(project, private, [first], stopping)]
    reader = RunReader(first)
    reader.look()
    content = reader.content()
    shown = {upload.name for run in desired_runs(content, abandoned=False) for upload in run.uploads}
    assert {"dataset.json", "folds.csv", "fold-0-0/predictions.parquet"} <= shown
    content = replace(content, events=(*content.events, *(_event(content, body) for body in (*before, *bodies))))
    sent = {upload.name for run in desired_runs(content, abandoned=False, private=True) for upload in run.uploads}
    assert "report-private/report.html" in sent
    assert all(name.startswith("report-private/") or name.endswith("model.safetensors") for name in sent)
    for body in bodies:
        text = (first / body.file).read_bytes().decode(errors="ignore")
        assert ".png" not in text


def test_once_it_is_to_stop_no_more_reports_are_made(project, stopping):
    stopping.ask()
    assert list(write_reports(project, Settings(), project.run_folders(), stopping)) == []


def _event(content, body):
    return replace(content.events[-1], body=body, seq=len(content.events))


def test_what_is_left_for_dvc_is_the_same_bytes_again_and_keeps_other_experiments(project):
    first, second = map(RunRecord.read, project.run_folders())
    write_dvc_files(project, [first])
    assert not (project.root / "metrics.json").exists()  # nobody asked
    (project.root / "dvc.yaml").write_text("metrics: [metrics.json]\n")
    write_dvc_files(project, [first])
    write_dvc_files(project, [second])
    left = left_for_dvc(project)
    assert set(left) == {"metrics.json", "First.csv", "Second.csv"}
    assert set(json.loads(left["metrics.json"])) == {"First", "Second"}
    write_dvc_files(project, [first])
    assert left_for_dvc(project) == left


def left_for_dvc(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.root / "metrics.json", *project.root.glob("plots/*"))}
