"""What every section of the report promises, so that one more needs nothing beside its file and its line."""

import pkgutil

import pytest

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.analysis.report import sections
from foldproof.analysis.report.assemble import SECTIONS
from foldproof.analysis.report.document import Beside, Block, Figure, Section, Table
from foldproof.analysis.report.gather import Material, gather
from foldproof.analysis.report.privacy import Privacy
from foldproof.analysis.report.spelling import KINDS, spelled
from scored import Scored, write_run

every_section = pytest.mark.parametrize("make", SECTIONS, ids=lambda make: make.__name__)


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    runs = tmp_path_factory.mktemp("runs")
    both = (Scored(groups=5), Scored(experiment="Run_High_LR", lr=0.1, seed=1))
    records = [write_run(runs, f"20260101-00000{at}-abcdef", run) for at, run in enumerate(both)]
    comparison = compare([Candidate.of(record) for record in records])
    return gather(records, comparison, privacy=Privacy(), data_folder=None)


def tables_of(blocks: tuple[Block, ...]) -> list[Table]:
    found: list[Table] = []
    for block in blocks:
        match block:
            case Table():
                found.append(block)
            case Figure(data=data):
                found.append(data)
            case Beside(first=first, second=second):
                found += tables_of((first, second))
    return found


def test_every_file_of_a_section_is_in_the_report():
    assert {make.__name__ for make in SECTIONS} == {module.name for module in pkgutil.iter_modules(sections.__path__)}


@every_section
def test_its_key_is_its_name_and_it_says_what_to_look_for(make, material):
    section = make(material)
    if section is not None:
        assert isinstance(section, Section)
        assert section.key == make.__name__
        assert section.title
        assert section.blocks


@every_section
def test_each_row_has_a_value_for_every_column_that_can_be_spelled(make, material):
    section = make(material)
    for table in tables_of(section.blocks) if section else ():
        assert {column.kind for column in table.columns} <= KINDS.keys()
        for row in table.rows:
            for column, value in zip(table.columns, row, strict=True):
                assert isinstance(spelled(value, column.kind), str), (table.key, column.key)


@every_section
def test_of_runs_that_finished_nothing_it_is_left_out_or_says_so(make, tmp_path):
    record = write_run(tmp_path, "20260101-000000-abcdef", Scored(finished=0))
    nothing = gather([record], compare([Candidate.of(record)]), privacy=Privacy(), data_folder=None)
    section = make(nothing)
    assert section is None or section.blocks
