"""A folder of tiny real images; a real project; quiet tools."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lab.durations import Durations

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script: commands inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

CLASSES = ("cat", "dog", "eel")
SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 2, seed: 5}
"""


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Durations())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Thorough tests run where they are asked for: by FOLDPROOF_THOROUGH, by a marker or by their own names."""
    if (
        os.environ.get("FOLDPROOF_THOROUGH")
        or "thorough" in config.option.markexpr
        or any("::" in name for name in config.args)
    ):
        return
    left = [item for item in items if item.get_closest_marker("thorough")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


@pytest.fixture(autouse=True)
def quiet_tools(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No telemetry, no pager, no settings of whoever runs the tests, no folder of another test's on the path."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "GIT_", "DVC_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")


def draw(path: Path, *, label: int, number: int, size: int = 8) -> None:
    """A small picture whose class shows in its colour, with noise of its own."""
    random = np.random.default_rng([label, number])
    pixels = random.integers(0, 120, (size, size, 3), dtype=np.uint8)
    pixels[..., label % 3] += 60 + 40 * (label // 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def draw_classes(folder: Path, *, each: int = 6, classes: tuple[str, ...] = CLASSES, size: int = 8) -> Path:
    """A folder of class folders with `each` pictures."""
    for label, name in enumerate(classes):
        for number in range(each):
            draw(folder / name / f"{number:03d}.png", label=label, number=number, size=size)
    return folder


@pytest.fixture
def make_images() -> Callable[..., Path]:
    """`make_images(folder, each=6)` makes a folder of class folders."""
    return draw_classes


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """A project folder with 18 images in 3 classes and settings; neither git nor DVC."""
    draw_classes(tmp_path / "project" / "images")
    (tmp_path / "project" / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path / "project"
