"""The commands of the how-tos, typed as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import draw_classes

HOW_TOS = Path(__file__).parents[2] / "docs" / "how-to"


def commands(name):
    """The lines after a `$` in the console blocks of a how-to."""
    text = (HOW_TOS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def typed(folder, command):
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": tools}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=240, env=environment, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def place(tmp_path):
    """A folder with photos of three classes in it."""
    draw_classes(tmp_path / "place" / "photos", each=6, size=32)
    return tmp_path / "place"


@pytest.mark.slow
def test_your_own_images(place, tmp_path):
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    for command in commands("your-own-images.md"):
        typed(place, command.replace("/somewhere/else", str(tmp_path / "elsewhere")))
        if command == "foldproof init":  # less than it suggests: these are tiny
            settings = place / "params.yaml"
            settings.write_text(
                settings.read_text(encoding="utf-8").replace("epochs: 20", "epochs: 1 "), encoding="utf-8"
            )


@pytest.mark.slow
def test_check_your_images(place):
    for command in (
        "foldproof init",
        "foldproof data add photos",
        'git add . && git commit --quiet --message "photos"',
    ):
        typed(place, command)
    (place / "photos" / "cat" / "broken.jpg").write_bytes(b"no picture")
    told = [command for command in commands("check-your-images.md") if not command.startswith("git")]
    assert "foldproof data check --exclude" in told
    with pytest.raises(AssertionError, match=r"cat/broken\.jpg"):
        typed(place, "foldproof data check")
    for command in sorted(told, key=lambda command: "--exclude" not in command):
        typed(place, command)
    typed(place, 'git commit --message "left out bad images" excluded.csv')
    assert (place / "photos" / "cat" / "broken.jpg").exists()
