"""Times as people write them: one form for all, sorted as it happened; what can be two things is refused with both."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conftest import draw
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.labels.said import Rules
from foldproof.data.scan import scan
from foldproof.errors import FoldsError
from foldproof.folds import derived
from foldproof.folds.times import read_times

DAY = dt.datetime(2019, 10, 28, 23, 50)
FORMS: dict[str, Callable[[dt.datetime], str]] = {
    "ISO": lambda d: d.isoformat(),
    "ISO with a zone": lambda d: f"{d.isoformat()}+01:00",
    "German": lambda d: d.strftime("%d.%m.%Y %H:%M"),
    "German, short": lambda d: d.strftime("%d.%m.%y"),
    "American": lambda d: f"{d.month}/{d.day}/{d.year} {d.hour}:{d.minute:02d}",
    "American, short": lambda d: f"{d.month}/{d.day}/{d.year % 100}",
    "without zeros": lambda d: f"{d.year}-{d.month}-{d.day}",
    "month by name": lambda d: d.strftime("%d-%b-%Y"),
    "month first, by name": lambda d: d.strftime("%B %d, %Y %I:%M %p"),
    "weekday": lambda d: d.strftime("%a, %d %b %Y %H:%M:%S"),
    "noon": lambda d: d.strftime("%Y-%m-%d %I:%M %p"),
    "EXIF": lambda d: d.strftime("%Y:%m:%d %H:%M:%S"),
    "digits": lambda d: d.strftime("%Y%m%d"),
    "digits, day first": lambda d: d.strftime("%d%m%Y"),
    "digits with time": lambda d: d.strftime("%Y%m%d%H%M%S"),
    "a camera's name": lambda d: d.strftime("IMG_%Y%m%d_%H%M%S.jpg"),
    "a messenger's name": lambda d: d.strftime("IMG-%Y%m%d-WA0007"),
    "month and year": lambda d: d.strftime("%m.%Y"),
    "month by name and year": lambda d: d.strftime("%b %Y"),
    "week": lambda d: "{}-W{:02d}".format(*d.isocalendar()[:2]),
    "frames": lambda d: f"frame_{(d - DAY).days}",
    "seconds": lambda d: str(int((d - DAY).total_seconds())),
    "Unix time": lambda d: str(d.replace(tzinfo=dt.UTC).timestamp()),
    "mixed exactness": lambda d: d.strftime("%Y-%m-%d %H:%M" if d.day % 2 else "%Y-%m-%d"),
}


def dataset(count: int, group: Mapping[int, str] | None = None) -> Dataset:
    """Images of two classes by turns; image number n is at `n.png`."""
    named = group or {}
    return Dataset.of(
        [Sample(f"{n:064x}", "cat" if n % 2 else "dog", f"{n}.png", named.get(n, "")) for n in range(count)]
    )


def moments(seed: int, count: int, days: int) -> list[dt.datetime]:
    chance = Random(seed)
    return [DAY + dt.timedelta(days=chance.randint(0, days), minutes=chance.randint(0, 1439)) for _ in range(count)]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(24, 60),
    days=st.sampled_from([3, 40, 300, 900]),
    groups=st.integers(0, 8),
    far=st.integers(0, 2),
)
def test_no_image_trains_for_an_earlier_one_whatever_the_spelling_and_the_groups(form, seed, count, days, groups, far):
    """`groups` of three images that follow each other in time, and `far` of two that do not."""
    true = moments(seed, count, days)
    order = sorted(range(count), key=true.__getitem__)
    group = {n: f"near {place}" for place in range(groups) for n in order[3 * place : 3 * place + 3]}
    group |= {n: f"far {place}" for place in range(far) for n in (order[-1 - place], order[-16 - place])}
    texts = {f"{n}.png": FORMS[form](when) for n, when in enumerate(true)}
    images = dataset(count, group)
    try:
        made = derived.assign_in_time(images, texts, 2)
    except FoldsError:
        return
    seconds = np.array([when.timestamp() for when in true])[[int(s.path[:-4]) for s in images.samples]]
    written = [texts[sample.path] for sample in images.samples]
    for fold in made.folds(2):
        latest = max(fold.train, key=lambda place: seconds[place])
        earliest = min(fold.validation, key=lambda place: seconds[place])
        assert seconds[latest] < seconds[earliest], (written[latest], written[earliest], made.told)
        sides = [{images.samples[place].group for place in side} - {""} for side in (fold.train, fold.validation)]
        assert sides[0].isdisjoint(sides[1])


@pytest.mark.parametrize("form", FORMS)
def test_each_usual_spelling_is_read_and_the_earliest_and_latest_are_said(form):
    true = [DAY + dt.timedelta(days=7 * n) for n in range(60)]
    told = str(read_times([FORMS[form](when) for when in true]))
    assert "read as " in told
    assert ", from " in told
    if "%d" in form:
        assert "2019-10-28" in told


def test_the_form_is_told_with_the_earliest_and_the_latest():
    texts = [f"{day:02d}.11.2019 10:05" for day in range(1, 31)]
    assert str(read_times(texts)) == ("read as day.month.year, to minutes, from 2019-11-01 10:05 to 2019-11-30 10:05")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["03/04/2020", "05/03/2020"], ("2020-04-03", "2020-03-04", "folds.date_order: dmy or mdy")),
        (["010203", "020103"], ("10203 (number)", "2003-02-01", "folds.date_order: dmy or number")),
        (["5.10", "5.9"], ("day.month", "number", "folds.date_order: number")),
        (["1,234", "12,3", "2,345"], ("number", "", "")),
    ],
)
def test_what_can_be_read_in_two_orders_is_refused_with_both(texts, said):
    try:
        told = str(read_times(texts))
    except FoldsError as refusal:
        told = str(refusal)
    assert all(part in told for part in said)


def test_an_order_that_was_asked_for_settles_it():
    texts = ["03/04/2020", "05/03/2020"]
    first, second = read_times(texts, order="dmy").values
    assert first > second
    first, second = read_times(texts, order="mdy").values
    assert first < second
    with pytest.raises(FoldsError, match=r"as folds.date_order: ymd"):
        read_times(texts, order="ymd")


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-01", "01.02.2024"],
        ["01-02-2024", "03/04/2024"],
        ["2024-01-01T10:00Z", "2024-01-01T10:00"],
        ["cam1_frame2", "cam2_frame1"],
        ["spring", "winter"],
        ["J", "F", "M"],
        ["2024-13-01", "2024-01-02"],
        ["1", "inf"],
        ["1", "2024-01-01"],
        ["Q3", "2024"],
        ["12:30", "1:02:03"],
        ["2019_11", "x"],
    ],
)
def test_what_no_one_form_reads_is_refused_with_examples(texts):
    with pytest.raises(FoldsError, match="no one form reads all times") as raised:
        read_times(texts)
    assert texts[0] in str(raised.value)


@pytest.mark.parametrize(
    ("texts", "what"), [(["10:30", "9:15"], "day"), (["0:01:30", "0:00:59"], "day"), (["31.10.", "1.9."], "year")]
)
def test_a_time_that_says_no_day_or_no_year_is_asked_about(texts, what):
    with pytest.raises(FoldsError, match=f"says no {what}") as raised:
        read_times(texts)
    assert f"write the {what} too" in raised.value.next_step
    if what == "day":
        first, second = read_times(texts, order="number").values
        assert first > second


@pytest.mark.parametrize("text", ["", "nan", "NaT", "-", "unknown"])
def test_an_image_without_a_time_is_counted_and_named(text):
    written = {f"{n}.png": text if n == 3 else f"{n}" for n in range(12)}
    with pytest.raises(FoldsError, match=r"1 images have none, such as 3.png"):
        derived.assign_in_time(dataset(12), written, 2)


def test_a_counter_is_a_number_and_not_a_text():
    assert [int(value) for value in read_times(["frame_12", "frame_2", "frame_100"]).values] == [12, 2, 100]


def test_no_time_is_taken_for_more_exact_than_the_least_exact_of_them():
    first, second = read_times(["2024-01-01 10:00", "2024-01-01"]).values
    assert first == second


def test_folds_written_as_fractions_are_the_folds_that_they_are():
    made, k = derived.assign_as_written(
        dataset(12), {f"{n}.png": ("0", "0.0", "1", "1.0", "NaN", "-1")[n % 6] for n in range(12)}
    )
    assert k == 2
    assert sorted(set(made.fold_of.tolist())) == [-1, 0, 1]


def photographs(folder: Path, *, edited: bool = False, zone: str = "") -> None:
    """Twelve pictures, a day from one to the next, whose names are in the opposite order."""
    for n in range(12):
        draw(folder / ("cat", "dog")[n % 2] / f"{12 - n:02d}.jpg", label=n % 2, number=n)
        file = folder / ("cat", "dog")[n % 2] / f"{12 - n:02d}.jpg"
        exif = Image.Exif()
        exif[0x0132] = f"2024:12:{28 - n:02d} 08:00:00"
        if not edited or n % 3:
            exif.get_ifd(0x8769).update({0x9003: f"2024:03:{n + 1:02d} 10:00:00", **({0x9011: zone} if zone else {})})
        with Image.open(file) as picture:
            picture.save(file, exif=exif)


@pytest.mark.parametrize("zone", ["", "+02:00"])
def test_photographs_are_cut_by_when_a_camera_took_them(tmp_path, zone):
    photographs(tmp_path / "photos", zone=zone)
    rules = Rules(time_by="exif")
    found = scan(tmp_path / "photos", rules=rules)
    times = {path: said.time for path, said in found.described.said.items()}
    made = derived.assign_in_time(found.dataset, times, 2)
    day = np.array([int(times[sample.path][8:10]) for sample in found.dataset.samples])
    for fold in made.folds(2):
        assert day[fold.train].max() < day[fold.validation].min()
    assert "from 2024-03-01" in made.told


def test_when_a_photograph_was_edited_is_not_when_it_was_taken(tmp_path):
    photographs(tmp_path / "photos", edited=True)
    found = scan(tmp_path / "photos", rules=Rules(time_by="exif"))
    times = {path: said.time for path, said in found.described.said.items()}
    with pytest.raises(FoldsError, match="4 images have none") as raised:
        derived.assign_in_time(found.dataset, times, 2)
    assert "exif" in raised.value.next_step
