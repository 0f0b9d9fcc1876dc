"""The report in a real browser: nothing is asked of the network, nothing runs, everything is drawn and can be read."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import CLASSES, draw_classes
from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.analysis.report.build import write_report
from scored import NASTY, Scored, write_run

pytestmark = pytest.mark.slow
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"phone": 375, "desktop": 1280}


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: install chromium, or name one in CHROMIUM")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


class Seen:
    """A report opened from its file, and everything that the page asked for or complained of."""

    def __init__(self, browser, file: Path, **context) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self._context = browser.new_context(**context)
        self.page = self._context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.goto(file.as_uri())

    def close(self) -> None:
        self._context.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Two reports: of three usual experiments with pictures, and of runs whose names are hostile."""
    folder = tmp_path_factory.mktemp("reports")
    images = draw_classes(folder / "images", each=10)
    usual = [
        Scored(experiment="FirstRun", classes=CLASSES, images=images, each=10, right=0.4, groups=4),
        Scored(experiment="Run_5_Epochs", classes=CLASSES, images=images, each=10, right=0.2, epochs=5, seed=1),
        Scored(
            experiment="Run_High_LR", classes=CLASSES, images=images, each=10, lr=0.1, right=0.3, failed=[1], seed=2
        ),
    ]
    hostile = [Scored(classes=NASTY, each=6), Scored(experiment="Other", classes=NASTY, each=6, lr=0.1, groups=3)]
    made = {}
    for name, runs in (("usual", usual), ("hostile", hostile)):
        records = [write_run(folder / name / "runs", f"20260101-00000{at}-abcdef", run) for at, run in enumerate(runs)]
        candidates = [Candidate.of(record) for record in records]
        made[name] = write_report(records, compare(candidates), folder / name / "report.html", data_folder=images).file
    return made


@pytest.mark.parametrize("name", ["usual", "hostile"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_it_asks_for_nothing_says_nothing_and_fits(browser, reports, name, width):
    seen = Seen(browser, reports[name], viewport={"width": width, "height": 800})
    try:
        assert seen.asked == [reports[name].as_uri()]
        assert seen.said == []
        seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.said == []
    finally:
        seen.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_every_figure_and_picture_is_drawn(browser, reports, width):
    seen = Seen(browser, reports["usual"], viewport={"width": width, "height": 800})
    try:
        figures = seen.page.locator("figure svg")
        assert figures.count() == 1 + 3 * 2 + 1 + 1 + 3 + 2 + 3
        for figure in figures.all():
            box = figure.bounding_box()
            assert box["width"] > 200
            assert box["height"] > 80
            assert len(figure.text_content().strip()) > 3
            assert figure.locator("polyline, polygon, circle, rect, path, image").count() > 3
        pictures = seen.page.evaluate("[...document.images].map(one => [one.complete, one.naturalWidth])")
        assert len(pictures) > 3
        assert all(complete and size == 8 for complete, size in pictures)
    finally:
        seen.close()


def test_hostile_names_are_shown_and_run_nothing(browser, reports):
    seen = Seen(browser, reports["hostile"])
    try:
        seen.page.wait_for_timeout(300)
        assert "owned" not in seen.page.title()
        assert seen.page.title().startswith("FirstRun and Other")
        text = seen.page.locator("body").text_content()
        for name in NASTY[:2]:
            assert name in text
        for shown in ("two\\nlines", "😀 émoji 👩‍👩‍👧", "שלום עולם", "{{ 7*7 }}"):
            assert shown in text
        assert seen.page.locator("script, body img[src='x']").count() == 0
        assert seen.said == []
    finally:
        seen.close()


CONTRAST = """
() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const texts = [...document.querySelectorAll("h1, h2, h3, h4, p, td, th, dt, dd, li, a, figcaption, summary")]
    .map(one => [ratio(channels(getComputedStyle(one).color), ground(one)), one.textContent.slice(0, 40)]);
  const drawn = [...document.querySelectorAll("svg text")]
    .map(one => [ratio(channels(getComputedStyle(one).fill), ground(one.closest(".panel"))), one.textContent])
    .filter(([, text]) => !/^(<?\\d+)$/.test(text));
  return [...texts, ...drawn].filter(([value]) => value < 4.5);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_by_day_and_by_night(browser, reports, scheme):
    seen = Seen(browser, reports["usual"], color_scheme=scheme)
    try:
        ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) > 380) == (scheme == "light")
        assert seen.page.evaluate(CONTRAST) == []
    finally:
        seen.close()


def test_it_is_read_by_keyboard_and_by_screen_readers(browser, reports):
    seen = Seen(browser, reports["usual"])
    try:
        page = seen.page
        assert page.locator("figure svg:not([role=img]), figure svg:not([aria-label])").count() == 0
        assert page.locator("figure:not(:has(figcaption)), figure:not(:has(table))").count() == 0
        assert page.locator("img:not([alt]), html:not([lang])").count() == 0
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#summary"
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(one => +one.tagName[1])")
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    finally:
        seen.close()


def test_it_prints_without_a_navigation_and_without_cut_tables(browser, reports, tmp_path):
    seen = Seen(browser, reports["usual"])
    try:
        seen.page.emulate_media(media="print")
        assert not seen.page.locator("nav").is_visible()
        assert seen.page.evaluate("getComputedStyle(document.querySelector('.wide')).overflowX") == "visible"
        seen.page.pdf(path=str(tmp_path / "report.pdf"))
        assert (tmp_path / "report.pdf").stat().st_size > 20_000
    finally:
        seen.close()
