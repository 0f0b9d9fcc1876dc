"""Whether the tables beside a report come out again: each thing that stands beside them changed alone."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.analysis.judged import FILE_NAME, STATISTICS, Judged, state_of
from foldproof.analysis.tables import csv_table, markdown
from foldproof.events.journal import JournalWriter
from foldproof.events.types import ArtifactAdded
from foldproof.records.record import RunRecord
from foldproof.verify import artifacts
from scored import Scored, write_run

ONE, TWO = "20260101-000001-aaaaaa", "20260101-000002-bbbbbb"


@dataclass
class World:
    """Two runs, the second with the tables of its report."""

    one: RunRecord
    two: RunRecord

    @property
    def report(self) -> Path:
        return self.two.folder / "report"

    def write(self, stem: str, runs: Sequence[RunRecord], *, metric: str, rope: float, pages: bool = True) -> None:
        found = compare([Candidate.of(run) for run in runs], metric=metric, rope=rope)
        self.report.mkdir(exist_ok=True)
        (self.report / f"{stem}.csv").write_text(csv_table(found), encoding="utf-8", newline="")
        if pages:
            (self.report / f"{stem}.md").write_text(markdown(found), encoding="utf-8", newline="")

    def judge(self, **changed: object) -> None:
        judged = Judged(
            metric="log_loss",
            rope=0.05,
            runs=(ONE, TWO),
            states={run.run: state_of(run) for run in (self.one, self.two)},
        )
        (self.report / FILE_NAME).write_bytes(replace(judged, **changed).to_json())  # type: ignore[arg-type]

    def looked(self, *others: RunRecord) -> tuple[str, str, tuple[str, ...]]:
        check = artifacts.check_tables(self.two, [run.folder for run in others])
        return check.state, check.said, check.problems


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Both tables, judged by what no guess would be."""
    root = tmp_path_factory.mktemp("written")
    one = write_run(root, ONE, Scored(seed=1, k=2, epochs=1))
    two = write_run(root, TWO, Scored(experiment="Other", seed=2, k=2, epochs=1))
    made = World(one, two)
    made.write("comparison", (one, two), metric="log_loss", rope=0.05)
    made.write("folds", (two,), metric="log_loss", rope=0.05, pages=False)
    made.judge()
    return root


@pytest.fixture
def world(written, tmp_path):
    shutil.copytree(written, tmp_path / "runs")
    return World(*(RunRecord.read(tmp_path / "runs" / run) for run in (ONE, TWO)))


def test_tables_that_come_out_again_are_counted_page_by_page(world):
    state, said, problems = world.looked(world.one)
    assert (state, problems) == ("holds", ())
    assert said.startswith("3 tables were reproduced, by log_loss and a rope of 0.05, with intervals and verdicts")
    assert "not all" not in said
    (world.report / "comparison.md").unlink()
    assert world.looked(world.one)[1].startswith("2 tables")


@pytest.mark.parametrize("page", ["comparison.csv", "comparison.md", "folds.csv"])
def test_a_page_that_says_something_else_does_not_come_out_again(world, page):
    path = world.report / page
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    state, _, problems = world.looked(world.one)
    assert (state, problems) == ("broken", (f"report/{page} does not follow from the predictions",))


@pytest.mark.parametrize("changed", [{"rope": 0.06}, {"metric": "accuracy"}])
def test_tables_that_were_judged_otherwise_than_is_said_do_not_come_out_again(world, changed):
    world.judge(**changed)
    assert world.looked(world.one)[0] == "broken"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"statistics": STATISTICS + 1}, f"they were made by statistics number {STATISTICS + 1}, here is {STATISTICS}"),
        ({"metric": "own:metric"}, "they were judged by code that is not built in: own:metric"),
    ],
)
def test_what_cannot_be_judged_here_speaks_neither_for_nor_against(world, changed, why):
    world.judge(**changed)
    assert world.looked(world.one) == ("not here", why, ())


def test_a_table_beside_runs_that_are_not_here_is_left_out_and_the_others_count(world):
    state, said, problems = world.looked()
    assert (state, problems) == ("holds", ())
    assert said.startswith("1 tables were reproduced")
    assert f"not all: it was compared with runs that are not here: {ONE}" in said


def test_a_table_that_names_no_runs_is_none(world):
    (world.report / "folds.csv").write_text("", encoding="utf-8")
    assert world.looked(world.one)[2] == ("report/folds.csv is no table of runs",)


def test_where_it_is_not_recorded_how_tables_were_judged_those_that_come_out_some_way_count_and_no_other_harms(world):
    (world.report / FILE_NAME).unlink()
    state, said, problems = world.looked(world.one)
    assert (state, problems) == ("holds", ())
    assert said.startswith("2 tables were reproduced")  # the page of the comparison alone shows the range
    assert said.endswith("not all: the metric and range that judged them are not recorded")
    for path in world.report.glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert world.looked(world.one) == ("not here", "the metric and range that judged them are not recorded", ())
    world.write("comparison", (world.one, world.two), metric="macro_f1", rope=0.01)
    assert world.looked(world.one)[1].startswith("2 tables")


def test_a_run_without_tables_has_none(world):
    for path in world.report.iterdir():
        path.unlink()
    assert world.looked(world.one) == ("not here", "none is here", ())


def test_a_file_that_cannot_be_looked_at_is_a_problem_and_one_that_is_away_is_not(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "elsewhere").write_text("elsewhere")
    (tmp_path / "report" / "link.html").symlink_to(tmp_path / "elsewhere")
    with JournalWriter(tmp_path, run="a-run", about={}) as journal:
        journal.append(ArtifactAdded(file="report/away.html", sha256="0" * 64))
    assert artifacts.check_files(tmp_path).state == "not here"
    with JournalWriter(tmp_path, run="a-run", about={}) as journal:
        journal.append(ArtifactAdded(file="report/link.html", sha256="0" * 64))
    (problem,) = artifacts.check_files(tmp_path).problems
    assert str(tmp_path / "report" / "link.html") in problem
