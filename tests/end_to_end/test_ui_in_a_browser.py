"""`foldproof ui` in a real browser: its link shows runs with the columns of cross-validation."""

import pytest

from end_to_end.test_report_in_a_browser import browser  # noqa: F401 - a fixture
from end_to_end.test_ui import running
from foldproof.cli.main import run_command
from foldproof.trackers.mlflow.runs_page import COLUMNS
from journaled import JournaledRun

pytestmark = pytest.mark.slow


def test_the_link_opens_the_parents_of_the_runs_with_the_columns_of_cross_validation(
    tiny_project,
    monkeypatch,
    browser,  # noqa: F811
):
    JournaledRun.make(tiny_project / "runs").complete()
    monkeypatch.chdir(tiny_project)
    assert run_command(["sync"]) == 0
    with running("foldproof", "ui", folder=tiny_project) as ours:
        link = ours.stdout.readline().split()[1]
        page = browser.new_page(viewport={"width": 1800, "height": 800})
        page.goto(link)
        for column in COLUMNS:
            name = column.partition("`")[2].rstrip("`")
            page.locator("[role=columnheader]", has_text=name).first.wait_for(state="visible", timeout=60_000)
        page.get_by_text("Run_High_LR").first.wait_for(state="visible")
        assert page.get_by_text("0.59375").first.is_visible()  # the mean over folds
        page.close()
