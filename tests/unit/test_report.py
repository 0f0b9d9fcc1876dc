"""The report: one page that shows all, whatever the runs are like."""

import base64
import hashlib
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile
from PIL import Image

from conftest import CLASSES, draw_classes
from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.analysis.report.build import write_report
from foldproof.analysis.report.markdown import _plain
from foldproof.analysis.report.pictures import NotShown, thumbnail
from foldproof.analysis.report.privacy import Privacy
from foldproof.data.value_range import ValueRange
from foldproof.errors import StorageError
from scored import NASTY, Scored, write_run


def report_of(tmp_path: Path, *runs: Scored, form: str = "html", images: Path | None = None, privacy=None):
    records = [write_run(tmp_path / "runs", f"20260101-00000{at}-abcdef", run) for at, run in enumerate(runs)]
    return report(records, tmp_path / f"report.{form}", form=form, images=images, privacy=privacy)


def report(records, file: Path, *, form: str = "html", images: Path | None = None, privacy=None) -> str:
    candidates = [Candidate.of(record) for record in records]
    written = write_report(
        records, compare(candidates), file, form=form, data_folder=images, privacy=privacy or Privacy()
    )
    assert written.file == file
    return file.read_text(encoding="utf-8")


class Markup(HTMLParser):
    """The elements of a page and what they load or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.loads: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        for name, value in attrs:
            inside = str(value).startswith(("#", "data:image/"))
            if name.startswith("on") or (name in ("href", "src", "action", "srcset") and not inside):
                self.loads.append((tag, name, value))

    def handle_data(self, data):
        if self.lasttag != "style":
            self.texts.append(data)


def test_the_page_has_every_section_and_loads_nothing(tmp_path):
    page = report_of(tmp_path, Scored(groups=5), Scored(experiment="Run_High_LR", lr=0.1, seed=1))
    for section in ("summary", "benchmark", "curves", "folds", "differences", "confusion", "operating", "reliability"):
        assert f'<section id="{section}"' in page
    for section in ("groups", "mistakes", "data", "provenance"):
        assert f'<section id="{section}"' in page
    assert "default-src 'none'" in page
    markup = Markup(page)
    assert not markup.loads
    assert not markup.elements & {"script", "link", "iframe", "object", "embed", "base", "form", "foreignobject"}
    assert not re.search(r"url\((?!#)|@import", page)
    assert "foldproof compare 20260101-000000-abcdef 20260101-000001-abcdef" in page


def test_every_figure_has_a_caption_and_its_numbers(tmp_path):
    page = report_of(tmp_path, Scored(), Scored(experiment="Other", lr=0.1, seed=1))
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) == 8
    for figure in figures:
        assert figure.count("<figcaption>") == 1
        assert "<table>" in figure
        assert re.search(r'<svg [^>]*aria-label="[^"]+"', figure)
        assert "<title>" in figure


def test_no_id_stands_twice_and_every_reference_leads_somewhere(tmp_path):
    page = report_of(tmp_path, Scored(), Scored(experiment="Other", lr=0.1, seed=1))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([\w-]+)', page)) <= set(ids)


def test_the_same_runs_give_the_same_bytes(tmp_path):
    records = [write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())]
    assert report(records, tmp_path / "a.html") == report(records, tmp_path / "b.html")


def test_names_are_text_whatever_they_look_like(tmp_path):
    plain = report_of(tmp_path / "plain", Scored(classes=[f"class {n}" for n in range(len(NASTY))], each=8))
    nasty = report_of(tmp_path / "nasty", Scored(classes=NASTY, each=8))
    assert not Markup(nasty).loads
    assert Markup(nasty).elements == Markup(plain).elements
    assert "&lt;img src=x onerror=" in nasty
    assert "{{ 7*7 }}" in nasty
    assert "two\\nlines" in nasty
    assert "\u202e" not in nasty
    assert "x^2" in nasty


BAD = {
    "a fold failed": Scored(failed=[1]),
    "one fold finished": Scored(finished=1),
    "no fold finished": Scored(finished=0),
    "all folds failed": Scored(failed=[0, 1, 2]),
    "losses are no numbers": Scored(nan_loss=True),
    "a class is never predicted": Scored(never=2),
    "two images a class": Scored(each=2, k=2),
    "two classes": Scored(classes=("no", "yes")),
    "one epoch": Scored(epochs=1),
    "everything right": Scored(right=1.0),
    "everything wrong": Scored(right=-1.0, each=30),
    "repeats": Scored(repeats=2, k=2),
    "twenty-one classes": Scored(classes=[f"kind {n:02}" for n in range(21)], each=4, k=2),
    "many epochs": Scored(epochs=70, k=2),
    "empty run.json extras": Scored(extra={"data_path": None, "created": None}),
}


IN_EVERY_FORM = ("a fold failed", "no fold finished", "losses are no numbers")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "form"), [*((what, "html") for what in BAD), *((w, f) for w in IN_EVERY_FORM for f in ("md", "json"))]
)
def test_whatever_is_missing_is_said_and_nothing_breaks(what, form, tmp_path):
    text = report_of(tmp_path, BAD[what], Scored(experiment="Sound", lr=0.5, seed=3), form=form)
    assert "Sound" in text
    if form == "html":
        said = " ".join(Markup(text).texts).replace("loss is nan", "")  # words of the diagnosis
        assert not re.search(r"\bnan\b", said)


@pytest.mark.parametrize("metric", ["log_loss", "balanced_accuracy", "macro_f1"])
def test_every_metric_is_spoken_of_in_its_own_unit(metric, tmp_path):
    runs = [Scored(), Scored(experiment="Other", lr=0.1, right=0.5)]
    records = [write_run(tmp_path / "runs", f"20260101-00000{at}-abcdef", run) for at, run in enumerate(runs)]
    comparison = compare([Candidate.of(record) for record in records], metric=metric)
    write_report(records, comparison, tmp_path / "r.html")
    text = " ".join(Markup((tmp_path / "r.html").read_text(encoding="utf-8")).texts)
    assert ("difference, nats" in text) == (metric == "log_loss")
    assert ("difference, points" in text) == (metric != "log_loss")
    assert "FirstRun got wrong" in text  # the better one leads, also where lower is better


def test_one_experiment_alone_has_nothing_to_be_compared_with(tmp_path):
    page = report_of(tmp_path, Scored())
    assert 'id="differences"' not in page
    assert "nothing to compare with" in page.casefold()


def test_nothing_finished_is_said_first(tmp_path):
    page = report_of(tmp_path, Scored(finished=0))
    assert "<h1><bdi>No fold has finished" in page
    assert "fold 2 has no result" in page


def test_a_failed_fold_is_named_with_its_reason(tmp_path):
    page = report_of(tmp_path, Scored(failed=[1]))
    assert "fold 1 failed: RuntimeError: no &lt;b&gt;memory&lt;/b&gt; left" in page


def test_lost_and_damaged_predictions_are_a_gap_not_an_end(tmp_path):
    record = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())
    (record.folder / "fold-0-1" / "predictions.parquet").unlink()
    page = report([record], tmp_path / "r.html")
    assert "no predictions image by image" in page
    assert str(tmp_path) not in page
    assert 'id="curves"' in page
    assert 'id="confusion"' not in page


DEEP = '{"git":' * 900 + "1" + "}" * 900
HUGE = "9" * 4000
SHAPES = (
    "",
    "{",
    "[1]",
    '{"classes": 3, "dvc": [], "sizes": "x", "findings": {"a": 1}, "command": {}, "git": [], "python": {}}',
    f'{{"images": {HUGE}, "classes": {{"a": {HUGE}}}, "sizes": {{"smallest": [{HUGE}, -1]}}, "command": [{HUGE}]}}',
    f'{{"git": {{"commit": {DEEP}, "dirty": {DEEP}}}, "dvc": {{"hash": {DEEP}}}, "findings": {{"x": {DEEP}}}}}',
)


def test_a_report_says_by_what_its_runs_are_judged_where_they_have_recorded_it(tmp_path):
    full = {"compare": {"metric": "macro_f1", "rope": 2.5}, "data": {}, "folds": {}, "train": {}, "execution": {}}
    said = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored(extra={"v": 2, "settings": full}))
    unsaid = write_run(tmp_path / "runs", "20260101-000000-bbbbbb", Scored())
    page = report([said], tmp_path / "said.html")
    assert "compare.metric" in page
    assert "macro_f1" in page
    assert "compare.rope" in page
    assert "compare." not in report([unsaid], tmp_path / "unsaid.html")


@pytest.mark.parametrize("content", SHAPES, ids=["empty", "cut", "list", "kinds", "huge", "deep"])
@pytest.mark.parametrize("file", ["environment.json", "data-card.json"])
def test_files_of_any_shape_do_no_harm(file, content, tmp_path):
    record = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())
    (record.folder / file).write_text(content, encoding="utf-8")
    assert 'id="provenance"' in report([record], tmp_path / "r.html")


@pytest.mark.parametrize(
    "values", ["x", {}, {"range": 3}, {"range": [1]}, {"range": ["a", None]}, {"range": [10**400, 1e999]}]
)
def test_a_range_of_any_shape_does_no_harm(values, tmp_path):
    record = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())
    (record.folder / "data-card.json").write_text(json.dumps({"images": 3, "values": values}), encoding="utf-8")
    assert "is black" not in report([record], tmp_path / "r.html")


def test_the_data_card_says_which_values_were_black_and_white(tmp_path):
    record = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())
    card = {"images": 3, "values": {"range": [-0.5, 4095.0]}}
    (record.folder / "data-card.json").write_text(json.dumps(card), encoding="utf-8")
    assert "-0.5 is black, 4,095 white" in report([record], tmp_path / "r.html")


def test_a_class_that_is_never_said_is_named(tmp_path):
    assert "FirstRun never says cat." in report_of(tmp_path, Scored(never=2))


def test_two_hundred_classes_are_a_raster_and_stay_small(tmp_path):
    page = report_of(tmp_path, Scored(classes=[f"species {n}" for n in range(200)], each=4, k=2))
    assert "<image " in page
    assert "too many classes for numbers in the cells" in page
    assert len(page) < 1_000_000


def test_the_json_has_the_numbers_as_numbers(tmp_path):
    document = json.loads(report_of(tmp_path, Scored(), Scored(experiment="Other", failed=[0]), form="json"))
    tables = {block["key"]: block for section in document["sections"] for block in section["blocks"] if "key" in block}
    first, other = tables["benchmark"]["rows"]
    assert (first["experiment"], first["folds"], other["folds"]) == ("FirstRun", "3/3", "2/3")
    assert 0 < first["score"]["value"] < 1
    assert document["comparison"]["metric"] == "accuracy"


def test_the_markdown_ends_with_the_usual_table_and_its_figures_lie_beside_it(tmp_path):
    text = report_of(tmp_path, Scored(), Scored(experiment="Run_High_LR", lr=0.1), form="md")
    last = [line for line in text.splitlines() if line.startswith("|")][-4:]
    assert last[0] == "| experiment | lr | epochs | average accuracy |"
    assert re.fullmatch(r"\| FirstRun \| 0\.01 \| 3 \| \d\d\.\d\d\u00a0% \|", last[2])
    figures = re.findall(r"\]\((report_files/[^)]+\.svg)\)", text)
    assert len(figures) >= 8
    for figure in figures:
        ET.parse(tmp_path / figure)


@pytest.mark.parametrize("name", NASTY)
def test_in_markdown_a_name_is_text_too(name):
    shown = _plain(name)
    assert not re.search(r"(?<!\\)[<|\[\]`]", shown)
    assert "\n" not in shown
    assert "http://" not in shown


def test_what_the_run_suffers_from_is_said_with_its_evidence(tmp_path):
    page = report_of(tmp_path, Scored(never=2, each=40, right=0.95))
    text = " ".join(" ".join(Markup(page).texts).split())
    assert '<section id="diagnosis"' in page
    assert "never-predicted" in text
    assert "Probable label errors" in text


def test_a_fold_that_was_trained_again_is_told_of(tmp_path):
    record = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())
    seed = {"reseed_of": {"run": record.run, "repeat": 0, "fold": 1}}
    again = write_run(tmp_path / "runs", "20260101-000001-abcdef", Scored(seed=4, extra=seed))
    other = write_run(
        tmp_path / "runs",
        "20260101-000002-abcdef",
        Scored(seed=4, extra={"reseed_of": {**seed["reseed_of"], "run": "20250101-000000-abcdef"}}),
    )
    write_report([record], compare([Candidate.of(record)]), tmp_path / "r.html", again=[again, other])
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("retrained with a different seed") == 1


class TestPictures:
    """Thumbnails of exactly the images that were predicted, from the data folder alone."""

    @pytest.fixture
    def images(self, tmp_path):
        return draw_classes(tmp_path / "images", each=12)

    def record(self, tmp_path, images, **other):
        return write_run(
            tmp_path / "runs", "20260101-000000-abcdef", Scored(classes=CLASSES, images=images, right=0.3, **other)
        )

    def test_mistakes_are_shown_by_class(self, tmp_path, images):
        page = report([self.record(tmp_path, images)], tmp_path / "r.html", images=images)
        assert 10 < page.count("data:image/webp;base64,") <= 24 + 12
        assert "labelled cat" in page
        content = base64.b64decode(re.search(r"data:image/webp;base64,([^\"]+)", page)[1])
        assert size_of(content) == (8, 8)

    def test_a_file_that_is_another_now_is_not_shown_and_that_is_said(self, tmp_path, images):
        record = self.record(tmp_path, images)
        for path in images.rglob("*.png"):
            path.write_bytes(path.read_bytes() + b"!")
        page = report([record], tmp_path / "r.html", images=images)
        assert "data:image/webp" not in page
        assert "is another file now" in page

    def test_without_the_images_there_is_a_list_of_paths(self, tmp_path, images):
        record = self.record(tmp_path, images)
        shutil.rmtree(images)
        page = report([record], tmp_path / "r.html", images=images)
        assert "the file is not there" in page
        assert "cat/0" in page

    def test_no_images_shows_none(self, tmp_path, images):
        page = report(
            [self.record(tmp_path, images)], tmp_path / "r.html", images=images, privacy=Privacy(images=False)
        )
        assert "data:image" not in page

    @pytest.mark.parametrize("form", ["html", "md", "json"])
    def test_hashed_paths_leave_no_path_group_or_command_line_in_it(self, tmp_path, images, form):
        record = self.record(tmp_path, images, groups=5, failed=[2])
        privacy = Privacy(images=False, hash_paths=True)
        text = report([record], tmp_path / f"r.{form}", form=form, images=images, privacy=privacy)
        for secret in ("000.png", "001.png", "patient", "ward-7", "alice", "memory"):
            assert secret not in text

    @pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "cat/../../secret.png", "link.png", "cat", ""])
    def test_nothing_outside_the_data_folder_is_read(self, tmp_path, images, path):
        (tmp_path / "secret.png").write_bytes((images / "cat/000.png").read_bytes())
        (images / "link.png").symlink_to(tmp_path / "secret.png")
        with pytest.raises(NotShown):
            thumbnail(images, path, sha256=_sha256(images / "cat/000.png"))

    def test_a_picture_of_gigantic_size_is_refused_before_it_is_decoded(self, tmp_path):
        file = tmp_path / "bomb.png"
        Image.new("1", (12_000, 6_000)).save(file)
        with pytest.raises(NotShown, match="small"):
            thumbnail(tmp_path, "bomb.png", sha256=_sha256(file))

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "CMYK", "LA", "1"])
    def test_pictures_of_every_kind_become_small_ones(self, tmp_path, mode):
        file = tmp_path / "picture.tif"
        if mode == "I;16":
            picture = Image.fromarray(np.arange(200 * 300, dtype=np.uint16).reshape(200, 300))
        else:
            picture = Image.new("RGB", (300, 200), (200, 30, 40)).convert(mode)
        picture.save(file)
        assert size_of(thumbnail(tmp_path, file.name, sha256=_sha256(file))) == (96, 64)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_deep_picture_is_shown_as_the_network_saw_it_and_not_white(self, tmp_path, channels):
        pixels = np.zeros((40, 40, channels), dtype=np.uint16)
        pixels[:, 20:] = 4095
        tifffile.imwrite(tmp_path / "a.tif", pixels.squeeze(), photometric="rgb" if channels == 3 else "minisblack")
        sha256 = _sha256(tmp_path / "a.tif")
        for high, expected in ((4095.0, 255), (8190.0, 128)):
            content = thumbnail(tmp_path, "a.tif", sha256=sha256, within=ValueRange(0.0, high, 16))
            with Image.open(io.BytesIO(content)) as picture:
                shown = np.asarray(picture.convert("L"), dtype=int)
            assert shown[:, :15].max() < 8
            assert abs(int(np.median(shown[:, 25:])) - expected) < 6

    def test_what_is_no_picture_any_more_is_said_for_deep_ones_too(self, tmp_path):
        (tmp_path / "a.tif").write_bytes(b"II*\0")
        for name in ("a.tif", "a.unknown"):
            (tmp_path / name).write_bytes(b"II*\0")
            with pytest.raises(NotShown, match="small"):
                thumbnail(tmp_path, name, sha256=_sha256(tmp_path / name), within=ValueRange(0.0, 1.0, 16))


def test_a_file_is_replaced_whole_or_the_old_one_stays(tmp_path):
    record = write_run(tmp_path / "runs", "20260101-000000-abcdef", Scored())
    (tmp_path / "r.html").mkdir()
    with pytest.raises(StorageError):
        write_report([record], compare([Candidate.of(record)]), tmp_path / "r.html")
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.slow
def test_ten_experiments_of_five_folds_are_under_three_megabytes(tmp_path):
    runs = [
        Scored(
            experiment=f"Run_{n}", k=5, epochs=20, lr=0.001 * n, seed=n, classes=[str(c) for c in range(10)], each=40
        )
        for n in range(10)
    ]
    assert len(report_of(tmp_path, *runs)) < 3_000_000


def size_of(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.size


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
