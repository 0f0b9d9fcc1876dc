"""What `data check` shows of how a table was read: each class with its spellings, and every assumption."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from conftest import draw
from foldproof.check import check_images
from foldproof.cli.show_data import print_check


def shown(folder: Path) -> str:
    """What `data check` prints in the project at `folder`."""
    out = io.StringIO()
    print_check(check_images(folder), Console(file=out, width=300), show_all=False)
    return out.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    label, who = ["benign", "0.0", "Benign", "0", "benign", "0"], ["7", "7.0", "unknown"]
    rows = [f"img_{n:02d};{label[n % 6]};{who[n % 3]};{n + 1:02d}.11.2019" for n in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(["# June", "bild;label;PatientID;date", *rows, ""]))
    for number in range(24):
        draw(tmp_path / "photos" / f"img_{number:02d}.png", label=number % 2, number=number)
    (tmp_path / "params.yaml").write_text("version: 1\ndata: {path: photos, labels: labels.csv, image_size: 8}\n")
    return tmp_path


def test_each_class_shows_which_spellings_were_read_as_it(project):
    told = shown(project)
    assert "  benign        12  also 'Benign' (4)" in told
    assert "  0             12  also '0.0' (4)" in told


def test_every_assumption_about_the_table_is_shown(project):
    told = shown(project)
    assert "path from 'bild' (its cells name 24 images)" in told
    assert "1 line of comments left out" in told
    assert "PatientID unknown in 8 of 24 rows (unknown 8)" in told
    assert "times are read" not in told


def test_the_form_of_times_is_shown_where_folds_are_cut_by_them(project):
    settings = project / "params.yaml"
    settings.write_text(
        settings.read_text().replace("8}", "8, columns: {group: ''}}") + "folds: {k: 3, scheme: time}\n"
    )
    assert "times are read as day.month.year, from 2019-11-01 to 2019-11-24" in shown(project)


def test_times_that_can_be_read_in_two_ways_are_an_error_until_the_settings_say_which(project):
    settings, table = project / "params.yaml", project / "labels.csv"
    lines = table.read_text().splitlines()
    days = [f"{n % 12 + 1}/{(5 * n) % 12 + 1}/2019" for n in range(24)]
    rows = [f"{line.rpartition(';')[0]};{day}" for line, day in zip(lines[2:], days, strict=True)]
    table.write_text("\n".join([*lines[:2], *rows, ""]))
    settings.write_text(
        settings.read_text().replace("8}", "8, columns: {group: ''}}") + "folds: {k: 3, scheme: time}\n"
    )
    assert "folds.date_order: dmy or mdy" in shown(project)
    settings.write_text(settings.read_text().replace("scheme: time", "scheme: time, date_order: mdy"))
    assert "times are read as month.day.year" in shown(project)


def labelled(folder: Path, header: str, row: str, *, more: str = "") -> str:
    """What is shown of twelve images that a table labels, a line of it by `{n}` and `{k}`, of three."""
    rows = [row.format(n=n, k=n % 3, hot=",".join(str(int(n % 3 == place)) for place in range(3))) for n in range(12)]
    (folder / "labels.csv").write_text("\n".join([header, *rows, ""]))
    for number in range(12):
        draw(folder / "photos" / f"{number}.png", label=number % 3, number=number)
    (folder / "params.yaml").write_text(
        f"version: 1\ndata: {{path: photos, labels: labels.csv, image_size: 8{more}}}\nfolds: {{k: 2}}\n"
    )
    return shown(folder)


def test_a_class_of_a_column_of_its_own_shows_that_column(tmp_path):
    told = labelled(tmp_path, "image,rust,scab,well", "{n}.png,{hot}", more=", classes: {well: healthy}")
    assert "  healthy         4  read from 'well' (4)  from the column 'well'" in told
    assert "  rust            4  from the column 'rust'" in told
    assert "not used" not in told


def test_a_class_that_a_list_of_names_calls_shows_the_number_that_stood_for_it(tmp_path):
    told = labelled(tmp_path, "image,label", "{n}.png,{k}", more=", classes: {'0': ash, '1': elm, '2': yew}")
    assert "  elm         4  read from '1' (4)" in told


def in_folders(folder: Path, place: str, data: str) -> str:
    for number in range(12):
        where = place.format(name=("tabby", "siamese", "husky")[number % 3], number=number)
        draw(folder / "photos" / where, label=number % 3, number=number)
    (folder / "params.yaml").write_text(f"version: 1\ndata: {{path: photos, image_size: 8{data}}}\nfolds: {{k: 2}}\n")
    return shown(folder)


MERGED, PATTERN = ", classes: {tabby: cat, siamese: cat}", ", label_by: '([a-z]+)[.][0-9]+[.]'"


@pytest.mark.parametrize(
    ("place", "data", "line"),
    [
        ("{name}/{number}.png", "", "husky 4"),
        ("{name}/{number}.png", MERGED, "cat 8 read from 'siamese' (4), 'tabby' (4)"),
        ("{name}.{number}.png", PATTERN, "husky 4 from names such as husky.11.png"),
        ("in/{name}/{number}.png", "", "husky 4 from folders such as in/husky"),
        ("a/{name}/{number}.png", ", label_by: parent", "husky 4 from folders such as a/husky"),
    ],
)
def test_each_class_shows_from_which_folders_or_names_it_was_read(tmp_path, place, data, line):
    told = in_folders(tmp_path, place, data)
    assert line in [" ".join(text.split()) for text in told.splitlines()]


def test_what_was_understood_is_shown_once(project):
    told = shown(project)
    assert told.count("path from 'bild'") == 1
    assert told.count("PatientID unknown") == 1
