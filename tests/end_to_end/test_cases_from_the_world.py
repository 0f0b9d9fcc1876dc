"""Folders as the world has them: what is there is found, said with its evidence and its setting, or refused as it is.

What is right of each folder is known, since `world.py` makes it; nothing here asks the program what it should be.
"""

import datetime as dt
import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.data.versions import dvc
from foldproof.project import Project
from foldproof.provenance import git_command
from foldproof.records.record import RunRecord
from foldproof.scaffold.look import look_in
from foldproof.training_data.inspection import Inspection, inspect
from world import CASES, Case, Refused, Right, dict_rows, paint, table

CHEAP = (
    "train.backbone=small_cnn train.pretrained=false train.freeze_backbone=false train.epochs=1 data.image_size=8 "
    "execution.executor=inline tracking.enabled=false"
)
SET = [word for pair in CHEAP.split() for word in ("--set", pair)]
FIRST = {case.kind: case for case in reversed(CASES)}


def one_of_each_kind(mark: pytest.MarkDecorator, *kinds: str) -> list[ParameterSet]:
    """Every case, of which those have `mark` that are beyond the first of their kind, or not of these kinds."""
    first = {case for kind, case in FIRST.items() if not kinds or kind in kinds}
    return [pytest.param(case, marks=[] if case in first else mark, id=str(case)) for case in CASES]


def of_kind(kind: str) -> list[ParameterSet]:
    """The cases of a kind, of which the first is tried by `make test`."""
    return [case for case in one_of_each_kind(pytest.mark.thorough) if case.id and case.id.startswith(f"{kind}: ")]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of git and DVC around all folders: making one each is another test's."""
    folder = tmp_path_factory.mktemp("around")
    assert git_command.git(folder, "init", "--quiet").is_yes
    dvc.init(folder)
    return folder


@pytest.fixture
def place(repository: Path, request: pytest.FixtureRequest) -> Path:
    """An empty folder in the repository."""
    number = sum(1 for _ in repository.iterdir())
    folder = repository / f"case {number}"
    folder.mkdir()
    return folder


def typed(capsys: pytest.CaptureFixture[str], *words: str, fails: int = 0) -> str:
    capsys.readouterr()
    code = run_command(list(words))
    said = capsys.readouterr()
    assert code == fails, f"{shlex.join(words)}\n{said.out}\n{said.err}"
    return said.out + said.err


def inspected(folder: Path) -> Inspection:
    project = Project.find(folder)
    settings = load_settings(project.settings_file).settings
    return inspect(project.path(settings.data.path), settings.data, settings.folds, project=project)


def same_parts(read: Mapping[str, str], meant: Mapping[str, str]) -> bool:
    """Whether images are together as was meant, by whatever names."""
    pairs = {(read[path], meant[path]) for path in meant}
    return read.keys() == meant.keys() and len(pairs) == len(set(read.values())) == len(set(meant.values()))


@pytest.mark.slow
@pytest.mark.parametrize("case", one_of_each_kind(pytest.mark.slow))
def test_init_and_a_first_look_find_what_trains_and_say_how_they_know_or_what_it_is_instead(
    case: Case, place, monkeypatch, capsys
):
    right = case.make(place)
    monkeypatch.chdir(place)
    if isinstance(right, Refused):
        said = typed(capsys, "init", fails=0 if case.kind in ("unread", "versions") else 2)
        assert right.what in said
        assert right.way in said
        assert case.kind != "unread" or "data add photos" in said
        return
    for named in (".", *right.named):
        found = look_in(place / named)
        assert found is not None
        assert found.count_by_class == Counter(right.labels.values())
    said = typed(capsys, "init")
    for words in right.said:
        assert words in said
    assert f"foldproof data add {shlex.quote(right.images)}" in said
    seen = inspected(place)
    assert {sample.path: sample.label for sample in seen.dataset.samples} == right.labels
    assert not seen.errors
    groups = {sample.path: sample.group for sample in seen.dataset.samples}
    assert same_parts(groups, right.groups or dict.fromkeys(groups, ""))
    checked = typed(capsys, "data", "check")
    count, classes = len(right.labels), len(set(right.labels.values()))
    assert checked.startswith(f"{right.images}: {count} images in {classes} classes")
    head = checked.partition("  fingerprint")[0].splitlines()
    assert len(head) == len(set(head))


# --- `foldproof try`, typed


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the module: features of the same pictures are computed once."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.parametrize("case", one_of_each_kind(pytest.mark.thorough, "a competition", "a table beside", "parts"))
def test_a_first_look_counts_the_images_that_train_and_names_the_next_commands(case, place, cache, monkeypatch, capsys):
    right = case.make(place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.chdir(place)
    if isinstance(right, Refused):
        if not right.is_tried:
            assert right.what.rpartition(": ")[2] in typed(capsys, "try", ".", fails=2)
        return
    shown = typed(capsys, "try", ".")
    counts = Counter(right.labels.values())
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    assert f": {counts.total()} images in {len(counts)} classes: {told}\n" in shown
    assert f"next:  foldproof init\n       foldproof data add {shlex.quote(right.images)}\n" in shown
    head = [line.strip() for line in shown.partition("\n\n")[0].splitlines()]
    assert not any(one in other for one in head for other in head if one is not other)


# --- what concerns the training


def trained(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[RunRecord, str]:
    said = typed(capsys, "run", *SET, *more)
    record = RunRecord.read(Project.find(folder).run_folders()[0])
    assert record.status == "finished"
    return record, said


def folds_of(record: RunRecord) -> dict[str, int]:
    """The fold in which each image validates, -1 for one that only trains, by the file of the run."""
    return {row["path"]: int(row["fold"]) for row in dict_rows(record.folder / "folds.csv")}


WHEN = [
    dt.datetime(2021, 10, 5, tzinfo=dt.UTC) + dt.timedelta(days=6 * (n // 2), hours=(7 * n) % 24) for n in range(48)
]
DATES: dict[str, tuple[Callable[[dt.datetime], str], str]] = {
    "German": (lambda d: d.strftime("%d.%m.%Y %H:%M"), "day.month.year, to minutes, from 2021-10-05 to 2022-02-20 "),
    "American": (lambda d: f"{d.month}/{d.day}/{d.year} {d.hour}:{d.minute:02d}", "month.day.year, to minutes"),
    "without zeros": (lambda d: f"{d.year}-{d.month}-{d.day}", "year.month.day, from 2021-10-05 to 2022-02-20"),
    "month by name": (lambda d: d.strftime("%d-%b-%Y"), "a month by name, from 2021-10-05 to 2022-02-20"),
    "noon": (lambda d: d.strftime("%Y-%m-%d %I:%M %p"), "am, pm, to minutes, from 2021-10-05"),
    "frames": (lambda d: f"frame_{(d - WHEN[0]).days}", "number in a text such as 'frame_"),
    "ISO with a zone": (lambda d: d.isoformat(), "from 2021-10-05"),
    "zones that differ": (lambda d: d.astimezone(dt.timezone(dt.timedelta(hours=d.day % 5))).isoformat(), "2021-10-05"),
    "Unix time": (lambda d: str(int(d.timestamp())), "number, from 1633392000 to"),
    "digits": (lambda d: d.strftime("%Y%m%d"), "8 digits, from 2021-10-05 to 2022-02-20"),
    "EXIF": (lambda d: d.strftime("%Y:%m:%d %H:%M:%S"), "to seconds, from 2021-10-05"),
    "weekday": (lambda d: d.strftime("%a %b %d %Y %H:%M:%S"), "from 2021-10-05"),
}  # fmt: skip
RARER = ("zones that differ", "Unix time", "digits", "EXIF", "weekday")


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", [pytest.param(one, marks=pytest.mark.thorough if one in RARER else []) for one in DATES]
)
def test_no_image_trains_for_an_earlier_one_however_dates_are_written(form: str, place, monkeypatch, capsys):
    write, said = DATES[form]
    labels = paint(place / "photos", {f"{(n * 31) % 48:02d}.png": ("fox", "owl")[n // 2 % 2] for n in range(48)})
    when = dict(zip(labels, WHEN, strict=True))
    table(
        place / "labels.csv", ("image", "date", "label"), [(path, write(when[path]), labels[path]) for path in labels]
    )
    monkeypatch.chdir(place)
    assert "time from 'date'" in typed(capsys, "init")
    assert "times are read" not in typed(capsys, "data", "check")
    record, told = trained(place, capsys, "--set", "folds.scheme=time", "--set", "folds.k=3")
    (read,) = {line for line in told.splitlines() if "times are read as " in line}
    assert said in read
    assert ("folds.date_order says otherwise" in read) == (form not in ("frames", "Unix time"))
    folds = folds_of(record)
    fine = form in ("frames", "without zeros", "month by name", "digits")
    moments = {path: moment.date() if fine else moment for path, moment in when.items()}
    assert set(folds.values()) == {-1, 0, 1, 2}
    for fold in range(3):
        trains = [path for path, number in folds.items() if number < fold]
        validates = [path for path, number in folds.items() if number == fold]
        assert max(moments[path] for path in trains) < min(moments[path] for path in validates)
        started = record.fold_started[0, fold]
        assert (started.train_images, started.validation_images) == (len(trains), len(validates))


@pytest.mark.slow
def test_days_that_can_be_months_are_refused_with_both_readings_and_the_setting(place, monkeypatch, capsys):
    labels = paint(place / "photos", {f"{n:02d}.png": ("fox", "owl")[n % 2] for n in range(24)})
    rows = [(path, f"{1 + n // 2}/{12 - n // 2}/2021", label) for n, (path, label) in enumerate(labels.items())]
    table(place / "labels.csv", ("image", "date", "label"), rows)
    monkeypatch.chdir(place)
    typed(capsys, "init")
    refused = typed(capsys, "run", *SET, "--set", "folds.scheme=time", "--set", "folds.k=3", fails=2)
    assert "'1/12/2021' can be 2021-12-01 (day.month.year) or 2021-01-12 (month.day.year)" in refused
    assert "folds.date_order: dmy or mdy" in refused
    order = ("--set", "folds.scheme=time", "--set", "folds.k=3", "--set", "folds.date_order=dmy")
    assert folds_of(trained(place, capsys, *order)[0])["00.png"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("case", of_kind("groups"))
def test_images_of_a_known_patient_share_a_fold_and_those_of_unknown_ones_need_not(case, place, monkeypatch, capsys):
    right = case.make(place)
    assert isinstance(right, Right)
    monkeypatch.chdir(place)
    typed(capsys, "init")
    record, told = trained(place, capsys)
    folds = folds_of(record)
    held = {
        group: {folds[path] for path, one in right.groups.items() if one == group} for group in right.groups.values()
    }
    assert len(held[""]) > 1
    assert all(len(found) == 1 for group, found in held.items() if group)
    assert "each of these images is a group of its own" in told


@pytest.mark.slow
@pytest.mark.parametrize("case", of_kind("depth"))
def test_one_image_of_another_depth_trains_with_the_others_and_it_is_said(case, place, monkeypatch, capsys):
    case.make(place)
    monkeypatch.chdir(place)
    typed(capsys, "init")
    checked = typed(capsys, "data", "check")
    assert "brought-to-8-bits  1  " in checked
    assert "cold/deep.png" in checked
    record, told = trained(place, capsys)
    assert record.facts["images"] == 41
    assert "brought-to-8-bits (1)" in told
