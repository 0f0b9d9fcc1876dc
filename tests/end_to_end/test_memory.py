"""What a run holds in memory does not grow with the pixels of its images, kept decoded or decoded on the fly."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no RssAnon there"),
]

FEW, MANY, SIZE = 300, 1_200, 224
SETTINGS = """\
version: 1
data: {path: images, image_size: 224}
folds: {k: 2, seed: 1}
train: {backbone: "cheap:strided", batch_size: 32, validation_batch_size: 32, epochs: 1, seed: 5}
tracking: {enabled: false}
"""
MODEL = """\
from torch import nn


def strided(*, classes, pretrained):
    layers = nn.Conv2d(3, 4, 16, stride=16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)
    return nn.Sequential(*layers)
"""
RUN = """
    import sys, threading
    from pathlib import Path

    import torch  # what it holds counts for both
    from foldproof.config.read import load_settings
    from foldproof.project import Project
    from foldproof.workflow import run

    def held():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))

    peak, over = 0, threading.Event()
    def look():
        global peak
        while not over.wait(0.005):
            peak = max(peak, held())

    project = Project.find(Path(sys.argv[1]))
    looking = threading.Thread(target=look)
    looking.start()
    report = run(project, load_settings(project.settings_file, overrides=sys.argv[2:]), quiet=True)
    over.set()
    looking.join()
    assert report.all_finished
    print(peak)
"""


def project_of(folder: Path, count: int) -> Path:
    for number in range(count):
        path = folder / "images" / f"class{number % 2}" / f"{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((SIZE, SIZE)).save(path, quality=80)
    (folder / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "cheap.py").write_text(MODEL, encoding="utf-8")
    return folder


def peak_of(folder: Path, *overrides: str) -> int:
    command = [sys.executable, "-c", textwrap.dedent(RUN), str(folder), "execution.executor=inline", *overrides]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return int(done.stdout)


@pytest.mark.parametrize("overrides", [(), ("execution.cache_gb=0.001",)], ids=["kept", "decoded anew"])
def test_four_times_the_images_take_no_more_memory(tmp_path, overrides):
    few, many = (peak_of(project_of(tmp_path / str(count), count), *overrides) for count in (FEW, MANY))
    pixels = (MANY - FEW) * SIZE * SIZE * 3
    assert many - few < pixels // 2, f"{few:,} and {many:,} bytes"
