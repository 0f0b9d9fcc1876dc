"""What each level finds in a record that was changed with care."""

import json
import random
import shutil
from pathlib import Path

import pytest

from foldproof.project import Project
from foldproof.reproduce.record_source import RecordSource
from foldproof.verify.level import Check
from foldproof.verify.levels import verify
from forged import FORGERIES, Forgery
from recorded import INLINE, train_inline


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project with two runs of three folds, and their reports."""
    return train_inline(tmp_path_factory.mktemp("trained"), f"{INLINE}compare: {{metric: macro_f1, rope: 2.5}}\n")


@pytest.fixture
def project(trained, tmp_path) -> Project:
    shutil.copytree(trained, tmp_path / "project")
    return Project(tmp_path / "project" / "params.yaml")


def subject(project: Project, experiment: str = "slow") -> RecordSource:
    for folder in project.run_folders():
        if json.loads((folder / "run.json").read_text())["experiment"] == experiment:
            return RecordSource(folder=folder, is_foreign=False)
    raise AssertionError(experiment)


@pytest.mark.slow
def test_an_honest_record_holds_on_every_rung(project):
    found = verify(subject(project), project)
    assert [(level.number, level.state) for level in found.levels] == [(0, "holds"), (1, "holds"), (2, "holds")]
    assert found.verdict == "HOLDS: L0, L1, L2"
    assert all(check.state == "holds" for level in found.levels for check in level.checks)


@pytest.mark.slow
def test_the_first_rung_needs_neither_images_nor_weights_nor_a_project(project, tmp_path):
    folder = tmp_path / "elsewhere" / "record"
    shutil.copytree(subject(project).folder, folder, ignore=shutil.ignore_patterns("*.safetensors", "state-*"))
    found = verify(RecordSource(folder=folder, is_foreign=True), None)
    assert [level.state for level in found.levels] == ["holds", "not here"]
    assert "images" in found.levels[1].checks[0].said


@pytest.mark.parametrize("forgery", [one for one in FORGERIES if one.level == 0], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", range(3))
def test_what_contradicts_the_record_is_found_from_the_record_alone(project, forgery: Forgery, seed):
    record = subject(project)
    forgery.change(record.folder, random.Random(seed))
    found = verify(record, project, highest=0)
    assert not found.is_sound
    assert found.verdict.startswith("DOES NOT HOLD at L0")


@pytest.mark.slow
@pytest.mark.parametrize("forgery", [one for one in FORGERIES if one.level > 0], ids=lambda one: one.name)
def test_what_the_record_cannot_know_is_found_by_weights_or_training(project, forgery: Forgery):
    record = subject(project)
    forgery.change(record.folder, random.Random(1))
    assert verify(record, project, highest=0).is_sound
    found = verify(record, project)
    assert found.is_sound == (forgery.level > 2)
    assert found.levels[-1].number == min(forgery.level, 2)


def test_a_comparison_whose_other_run_is_gone_is_not_called_forged(project):
    shutil.rmtree(subject(project, "fast").folder)
    record = subject(project, "slow")
    found = verify(record, project, highest=0)
    assert found.is_sound
    tables = next(check for check in found.levels[0].checks if check.name == "tables")
    assert "not here" in tables.said


def tables_of(record: RecordSource) -> Check:
    (found,) = (check for check in verify(record, None, highest=0).levels[0].checks if check.name == "tables")
    return found


def test_tables_say_by_what_they_came_out_again(project):
    said = "3 tables were reproduced, by macro_f1 and a rope of 0.025, with intervals and verdicts"
    assert tables_of(subject(project)) == Check(name="tables", state="holds", said=said)


def test_tables_without_their_metric_and_rope_come_out_again_by_those_of_the_run(project):
    record = subject(project)
    (record.folder / "report" / "judged.json").unlink()
    found = tables_of(record)
    assert (found.state, found.said) == ("holds", "3 tables were reproduced, with intervals and verdicts")


def test_tables_whose_metric_and_rope_are_recorded_nowhere_are_not_accused(project):
    record = subject(project)
    (record.folder / "report" / "judged.json").unlink()
    facts = json.loads((record.folder / "run.json").read_text())
    facts["settings"]["compare"]["rope"] = 1.0  # of the run; the tables were made by another later
    (record.folder / "run.json").write_text(json.dumps(facts))
    found = tables_of(record)
    assert (found.state, found.problems) == ("holds", ())  # that of one run has no range in it
    assert found.said.endswith("; not all: the metric and range that judged them are not recorded")


@pytest.mark.slow
def test_images_are_found_wherever_they_are_and_whatever_they_are_called(project):
    images = project.root / "images"
    images.rename(project.root / "renamed")
    (project.root / "renamed" / "cat").rename(project.root / "renamed" / "katze")
    (project.root / "params.yaml").write_text(INLINE.replace("path: images", "path: renamed"))
    record = subject(project)
    found = verify(RecordSource(folder=record.folder, is_foreign=False, images=project.root / "renamed"), project)
    assert found.verdict == "HOLDS: L0, L1, L2"


@pytest.mark.parametrize("text", ["", "run\n", "run,x\n" + "y" * 200_000 + "\n", '"run\n', "\0\n"], ids=range(5))
def test_a_table_that_is_none_is_a_problem_of_its_own(project, text):
    record = subject(project)
    table = record.folder / "report" / "comparison.csv"
    table.write_text(text)
    found = verify(record, project, highest=0)
    assert not found.is_sound
    assert [check.state for check in found.levels[0].checks if check.name == "journals"] == ["holds"]
    assert any("comparison.csv" in problem for check in found.levels[0].checks for problem in check.problems)


def test_folds_that_are_not_text_are_damage_said_in_a_line(project):
    record = subject(project)
    (record.folder / "folds.csv").write_bytes(b"repeat,fold\n\xff\xfe\n")
    found = verify(record, project, highest=0)
    assert not found.is_sound
    assert "folds.csv" in found.levels[0].checks[0].problems[0]
