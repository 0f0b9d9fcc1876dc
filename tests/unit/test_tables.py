"""A table as somebody wrote it: its encoding, what parts its cells, its header, and what was assumed."""

import datetime as dt
import sys
import zipfile
from pathlib import Path

import pytest

from foldproof.data.tables import spreadsheet
from foldproof.data.tables.header import LabelTable
from foldproof.data.tables.spelling import is_no_value, is_unknown, key_of, names_of
from foldproof.data.tables.table import read_table, table_of
from foldproof.data.tables.usual import usual_column
from foldproof.errors import DataError

ROWS = (("one.png", "groß"), ("two.png", "klein"), ("three.png", "groß"))
PLAIN = "file,label\none.png,groß\ntwo.png,klein\nthree.png,groß\n"


def read(text: str | bytes, name: str = "labels.csv") -> LabelTable:
    return table_of(text.encode() if isinstance(text, str) else text, name=name)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "read as UTF-16"),
        ("utf-16-le", "read as UTF-16"),
        ("utf-16-be", "read as UTF-16"),
        ("utf-32", "read as UTF-32"),
        ("latin-1", "read as Latin-1 (Windows-1252): 'groß'"),
    ],
)
def test_a_table_is_read_in_each_usual_encoding_and_it_is_said_what_was_assumed(encoding, said):
    found = read(PLAIN.encode(encoding))
    assert (found.columns, found.rows) == (("file", "label"), ROWS)
    assert said in "; ".join(found.assumed)
    assert bool(said) == bool(found.assumed)


@pytest.mark.parametrize(
    "content",
    [
        "file,label\n1.png,здоровый\n".encode("cp1251"),
        "file,label\n1.png,健康\n".encode("gbk"),
        "file,label\n1.png,病気\n".encode("shift-jis"),
        "file,label\n1.png,große\n".encode() + "2.png,größe\n".encode("latin-1"),
        b"file,label\n\xff\xfe\x00",
        b"\xff\xfeodd",
    ],
)
def test_bytes_that_are_no_western_text_are_refused_and_never_read_as_such(content):
    with pytest.raises(DataError) as raised:
        read(content)
    assert "UTF-8" in raised.value.next_step


SPELLINGS = {
    "semicolons": (PLAIN.replace(",", ";"), ""),
    "tabs": (PLAIN.replace(",", "\t"), ""),
    "bars": (PLAIN.replace(",", "|"), "a bar | between cells"),
    "blanks": (PLAIN.replace(",", "     "), "runs of blanks between cells"),
    "one blank": (PLAIN.replace(",", " "), "a blank between cells"),
    "a line sep=": ("sep=;\n" + PLAIN.replace(",", ";"), "as its line 'sep=;' says"),
    "a comment": ("# by hand, in May; again\n" + PLAIN, "1 line of comments left out"),
    "a comment within": (PLAIN.replace("two", "# so far\ntwo"), "1 line of comments left out"),
    "a title": ("My study\n\n" + PLAIN, "1 line above the table left out: 'My study'"),
    "a title with commas": ("Leaves, 2021\n" + PLAIN, "1 line above the table left out: 'Leaves 2021'"),
    "a title over blanks": ("Leaves 2021\n" + PLAIN.replace(",", " "), "left out: 'Leaves 2021'"),
    "a long title over blanks": ("All leaves of 2021\n" + PLAIN.replace(",", " "), "left out: 'All leaves of 2021'"),
    "two titles over tabs": (
        "Lab\tB\nMay\t3\n" + PLAIN.replace(",", "\t"),
        "2 lines above the table left out: 'Lab B'",
    ),
    "separators at the end": (PLAIN.replace("\n", ",\n"), "an empty cell at the end of 3 lines"),
    "the header again": (PLAIN.replace("three", "file,label\nthree"), "1 more line of names left out"),
    "a header in a comment": ("# " + PLAIN, "its columns are named in a comment"),
    "quotes": ('"file","label"\n' + "".join(f'"{a}","{b}"\n' for a, b in ROWS), ""),
    "carriage returns": (PLAIN.replace("\n", "\r\n"), ""),
    "those of an old Mac": (PLAIN.replace("\n", "\r"), ""),
}


@pytest.mark.parametrize("how", SPELLINGS)
def test_a_table_is_read_however_its_cells_are_parted_and_whatever_stands_around_it(how):
    text, said = SPELLINGS[how]
    found = read(text)
    assert (found.columns, found.rows) == (("file", "label"), ROWS)
    assert said in "; ".join(found.assumed)


def test_a_separator_within_quotes_and_a_decimal_comma_do_not_part_cells():
    assert read('file,label\n"one, two.png",a\n').rows == (("one, two.png", "a"),)
    found = read("file;label;dose\none.png;a;0,5\ntwo.png;b;1,5\n")
    assert found.columns == ("file", "label", "dose")
    assert found.rows[0] == ("one.png", "a", "0,5")


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("one.png,a\ntwo.png,b\n", False),
        ("file,label\none.png,a\n", True),
        ("bild,befund\none.png,a\ntwo.png,b\n", True),
        ("17,a\n18,b\n19,a\n", False),
        ("nummer,befund\n17,a\n18,b\n", True),
        ("image,0,1\none,0,1\ntwo,1,0\n", True),
        ("image.name,label\none.png,a\n", True),
    ],
)
def test_a_first_row_is_a_header_unless_it_looks_as_the_rows_below_it(text, has_header):
    found = read(text)
    assert found.has_header == has_header
    assert len(found.rows) == text.count("\n") - has_header
    assert has_header or found.columns[0] == "column 1"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Blätter 2021\nbild befund\none.png a\ntwo.png b\n", ("bild", "befund")),
        ("bild befund\nnone.x a\none.png a\ntwo.png b\n", ("bild", "befund")),
        ("file label\nnone.x c\none.png a\ntwo.png b\n", ("file", "label")),
        ("file x label\nnone.x 3 c\none.png 1 a\ntwo.png 2 b\n", ("file", "x", "label")),
    ],
)
def test_of_several_rows_above_the_images_the_header_is_that_of_usual_names_else_the_last_that_is_no_data(
    text, columns
):
    assert read(text).columns == columns


def test_lines_are_counted_as_an_editor_counts_them():
    assert read("# note\n\nfile,label\n\none.png,a\n").lines == (5,)
    with pytest.raises(DataError, match="line 4: 3 cells, but 2 columns") as raised:
        read("# note\nfile,label\none.png,a\ntwo.png,b,c\nthree.png,b\n")
    assert "in quotes" in raised.value.next_step


def test_row_names_that_have_no_column_name_are_a_column_without_one():
    found = read("file,label\n1,one.png,a\n2,two.png,b\n")
    assert found.columns == ("", "file", "label")


def test_a_name_of_a_column_is_one_line_as_a_spreadsheet_shows_it():
    found = read('"Patient\r\nID","class\nname"\n7,a\n')
    assert found.columns == ("Patient ID", "class name")
    assert usual_column("group", found.columns) == "Patient ID"


def test_a_table_whose_rows_do_not_fit_at_all_is_told_how_to_say_what_parts_them():
    with pytest.raises(DataError) as raised:
        read("sep=,\nfile;label\na;b,c,d\nd;e,f,g\n")
    assert "sep=;" in raised.value.next_step


def test_a_spreadsheet_is_read_by_its_extra_as_a_csv_of_it_would_be(tmp_path):
    pytest.importorskip("python_calamine")
    book = workbook(tmp_path / "labels.xlsx", [("file", "label", "patient"), ("007.png", "a", 7.0)])
    found = read_table(book)
    assert found.columns == ("file", "label", "patient")
    assert found.rows == (("007.png", "a", "7"),)
    assert found.assumed == ("sheet 'first', not second",)


def test_without_its_extra_a_spreadsheet_is_refused_with_the_line_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(DataError) as raised:
        read_table(workbook(tmp_path / "labels.xlsx", [("file", "label")]))
    assert "pip install 'foldproof[xlsx]'" in raised.value.next_step


@pytest.mark.slow
def test_a_spreadsheet_that_would_unpack_to_gigabytes_is_not_unpacked(tmp_path):
    pytest.importorskip("python_calamine")
    with zipfile.ZipFile(tmp_path / "labels.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(100_000_000))
    with pytest.raises(DataError, match="would unpack to 100,000,000 bytes"):
        read_table(tmp_path / "labels.xlsx")


def test_numbers_and_dates_of_a_spreadsheet_are_written_as_people_write_them():
    row = [7.0, 7.5, True, dt.datetime(2024, 3, 31), dt.datetime(2024, 3, 31, 14, 5), "", " a "]
    assert spreadsheet._texts(row) == ["7", "7.5", "True", "2024-03-31", "2024-03-31 14:05:00", "", "a"]


def workbook(path: Path, rows: list[tuple[object, ...]]) -> Path:
    """A workbook of two sheets with the least that a reader asks for."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: object) -> str:
        return f"<c><v>{value}</v></c>" if isinstance(value, float) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    def sheet(rows: list[tuple[object, ...]]) -> str:
        lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        return f"<worksheet {space}><sheetData>{lines}</sheetData></worksheet>"

    names = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in ((1, "first"), (2, "second")))
    links = "".join(f'<Relationship Id="r{i}" Type="{link}/worksheet" Target="worksheets/{i}.xml"/>' for i in (1, 2))
    contents = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r0" '
        f'Type="{link}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{link}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        "xl/worksheets/1.xml": sheet(rows),
        "xl/worksheets/2.xml": sheet([("other",)]),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("text", ["", "NaN", "nan", "None", "N/A", "NA", "null", "#N/A", "<NA>", "NaT"])
def test_what_programs_write_for_nothing_is_no_value(text):
    assert is_no_value(text)
    assert is_unknown(text)


def test_words_for_not_known_are_no_group_but_may_be_labels():
    for text in ("-", "?", "unknown", "-1", " Unknown "):
        assert is_unknown(text)
        assert not is_no_value(text)
    assert not is_unknown("0")


@pytest.mark.parametrize(
    "same", [("7", "7.0", "7.", "007", "+7", "7,0"), ("Benign", "benign ", " BENIGN"), ("a  b", "A b")]
)
def test_all_spellings_of_one_value_have_one_key(same):
    assert len({key_of(text) for text in same}) == 1


@pytest.mark.parametrize(
    "apart", [("7", "70"), ("7", "-7"), ("0.5", "0"), ("Maße", "Masse"), ("7", "7.5"), ("1,000", "1")]
)
def test_what_is_not_one_value_has_keys_apart(apart):
    assert len({key_of(text) for text in apart}) == len(apart)


def test_letters_differ_in_case_where_they_are_classes():
    assert key_of("a", letters=True) != key_of("A", letters=True)
    assert key_of("a") == key_of("A")


def test_the_most_frequent_spelling_is_the_name_and_those_asked_for_stay_apart():
    counts = {"Benign": 2, "benign": 5, "1.0": 1, "1": 1}
    assert names_of(counts) == {"Benign": "benign", "benign": "benign", "1.0": "1", "1": "1"}
    assert names_of(counts, keep=["Benign"])["benign"] == "Benign"
    assert names_of(counts, keep=["Benign", "benign"]) == {"Benign": "Benign", "benign": "benign", "1.0": "1", "1": "1"}


@pytest.mark.parametrize("column", ["PatientID", "patientId", "patient_id", "Patient ID", "patient-id", "PATIENTID"])
def test_one_name_of_a_column_is_known_in_all_its_spellings(column):
    assert usual_column("group", ["file", column, "label"]) == column
