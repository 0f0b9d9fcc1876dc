"""What a run does with its images before the first epoch, at 10,000, 30,000 and 100,000 of 32 x 32 pixels.

    python benchmarks/data_scale.py [COUNT…]

Pictures of noise in ten classes, 30 % of them one and the same blank picture; versioned with DVC. Measured as whole
processes: reading, checking, finding duplicates and cutting folds the first time and the second; beside it `dvc add`,
`cp -r` and `sha256sum` of the same tree. Peak of anonymous memory (RssAnon) from /proc, looked at every 20 ms. The
search for near-duplicates, which pictures under 64 pixels take no part in, is measured on as many drawn pictures apart.
"""

import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from foldproof.cli.main import expect_many_values
from foldproof.config.read import load_settings
from foldproof.data.versions import dvc
from foldproof.plan.splits import split
from foldproof.project import Project
from foldproof.provenance.machine import describe
from foldproof.training_data.load import load_training_data

SETTINGS = "version: 1\ndata: {path: images}\nfolds: {k: 5}\n"


def draw(folder, count):
    random = np.random.default_rng(0)
    blank = png(np.full((32, 32, 3), 255, dtype=np.uint8))
    for label in range(10):
        (folder / f"class{label}").mkdir(parents=True)
    for number in range(count):
        if number % 10 < 3:
            (folder / "class0" / f"blank{number:06d}.png").write_bytes(blank)
            continue
        pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        (folder / f"class{number // 10 % 10}" / f"{number:06d}.png").write_bytes(png(pixels))


def png(pixels):
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG", compress_level=1)
    return made.getvalue()


def prepare_images(root):
    """What `run` does before any model: called in a process of its own. Prints the seconds of each part."""
    expect_many_values()
    began = time.perf_counter()
    project = Project.find(Path(root))
    loaded = load_settings(project.settings_file)
    training_data = load_training_data(project, loaded.settings.data, allow_dirty=False)
    gathered = time.perf_counter()
    split(project, training_data.dataset, loaded.experiments)
    print(json.dumps({"gather": gathered - began, "folds": time.perf_counter() - gathered}))


def watched(command, folder):
    """Seconds, peak of anonymous memory in MB, and what was printed last."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_kilobytes(process.pid))
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return seconds, peak / 1024, process.stdout.read().strip()


def anonymous_kilobytes(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def measure(count):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "project"
        draw(root / "images", count)
        (root / "params.yaml").write_text(SETTINGS)
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
        dvc.init(root)
        copied, *_ = watched(["cp", "-r", "images", str(Path(place) / "copy")], root)
        hashed, *_ = watched(["sh", "-c", "find images -type f -print0 | xargs -0 sha256sum > /dev/null"], root)
        added, *_ = watched([sys.executable, "-m", "dvc", "add", "--quiet", "images"], root)
        own = [sys.executable, __file__, "--prepare", str(root)]
        for turn in ("first", "second"):
            seconds, peak, said = watched(own, root)
            parts = json.loads(said)
            print(
                f"| {count:,} | {turn} | {seconds:.1f} | {parts['gather']:.1f} | {parts['folds']:.1f} | {peak:.0f} "
                f"| {added:.1f} | {copied:.1f} | {hashed:.1f} |",
                flush=True,
            )


def main():
    machine = describe()
    load = os.getloadavg()[0]
    cores, python = machine["cores_available"], platform.python_version()
    print(f"{machine['processor']}, {cores} cores, Python {python}, load {load:.1f}")
    print("\n| images | time | process s | gather s | folds s | RssAnon MB | dvc add s | cp -r s | sha256sum s |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for count in [int(text) for text in sys.argv[1:]] or [10_000, 30_000, 100_000]:
        measure(count)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--prepare"]:
        prepare_images(sys.argv[2])
    else:
        main()
