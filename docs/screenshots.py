"""The pictures of a report in the documentation: a finished demo in, what a browser shows at two widths as PNGs out.

make screenshots
"""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from foldproof.cli.main import run_command

TARGET = Path(__file__).parent / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SIZES = {"desktop": (1280, 900, 1), "phone": (375, 800, 2)}
MOST_BYTES = 300_000


def main(demo: Path) -> None:
    """Write `report-desktop.png` and `report-phone.png`."""
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        os.chdir(demo)
        assert run_command(["report", "-o", str(page_file)]) == 0
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        for name, (width, height, scale) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
            page.goto(page_file.as_uri())
            target = TARGET / f"report-{name}.png"
            page.screenshot(path=str(target))
            assert target.stat().st_size < MOST_BYTES
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
