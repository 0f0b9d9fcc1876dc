"""Anonymous memory of a whole `foldproof run` by number of images of 224 px, kept decoded and decoded on the fly.

    python -m benchmarks.memory [--limit-gb 3] [--folder FOLDER] [COUNT…]

Draws JPEGs of noise in ten classes and trains a network that costs next to nothing, one epoch of two folds at once,
with MLflow on SQLite: first with all images kept decoded, then with room for a third of them. FOLDER holds the images
and is used again. With a limit, everything runs in a control group (version 1, as root).
"""

import argparse
import datetime as dt
import json
import shutil
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.anonymous import control_group, killed, watch
from benchmarks.report import LIBRARIES, circumstances, slug
from benchmarks.round import commit
from foldproof.provenance.machine import describe
from foldproof.storage import write_atomically

SIZE = 224
SETTINGS = """\
version: 1
data: {path: images, image_size: 224}
folds: {k: 2, seed: 1}
train: {backbone: "cheap:strided", batch_size: 32, epochs: 1, seed: 5}
"""
MODEL = """\
from torch import nn


def strided(*, classes, pretrained):
    return nn.Sequential(nn.Conv2d(3, 8, 16, stride=16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(8, classes))
"""
HEAD = """\
# Anonymous memory of a run, {date}

{processor}, {cores} cores, {memory:.0f} GB; {system}; Python {python}; {libraries}; commit {commit}.

Whole `foldproof run` of JPEGs of 224 px: scan, checks, decoding, two folds at once of one epoch, MLflow on SQLite; a
network of 6,242 weights. "GB": the peak of RssAnon of all processes together, looked at every 0.1 s; then what each
held at that moment, in MB. "cache_gb" is the setting; where it has no room for all images, the rest is decoded on the
fly. "limit" is that of the control group in GB, which the pages of kept files count towards. n = 1 each.
Other work ran on the machine: seconds are no measure of speed.

| images | cache_gb | limit | GB | each, MB | killed | exit | s | processor s |
|---:|---:|---:|---:|---|---:|---:|---:|---:|
"""
MACHINE = ("processor", "architecture", "cores_available", "memory_available_bytes", "system", "release", "python")
RESULTS = Path(__file__).parent / "results"


def draw(folder: Path, count: int) -> None:
    """What is lacking of `count` JPEGs of 224 pixels."""
    for label in range(10):
        (folder / f"class{label}").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"class{number % 10}" / f"{number:06d}.jpg"
        if path.exists():
            continue
        noise = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        noise[:, :, number % 3] //= 1 + number % 10
        Image.fromarray(noise).resize((SIZE, SIZE)).save(path, quality=80)


def project(folder: Path, count: int) -> Path:
    """A project of `count` images; neither git nor DVC, whose own memory is not ours."""
    draw(folder / "images", count)
    (folder / "params.yaml").write_text(SETTINGS)
    (folder / "cheap.py").write_text(MODEL)
    return folder


def measured(folder: Path, count: int, *, cache_gb: float, limit_gb: float | None) -> dict[str, Any]:
    """One run, and what it held."""
    command = [sys.executable, "-m", "foldproof", "run", "--set", f"execution.cache_gb={cache_gb}"]
    with control_group("foldproof-memory", int(limit_gb * 1e9)) if limit_gb else nullcontext() as group:
        found = watch(command, folder, group=group)
        lost = killed(group) if group else 0
    return {"images": count, "cache_gb": cache_gb, "limit_gb": limit_gb, "killed": lost, **asdict(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int, default=[5_000, 100_000])
    parser.add_argument("--limit-gb", type=float)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    rows = []
    for count in asked.counts:
        with tempfile.TemporaryDirectory() as place:
            folder = project((asked.folder or Path(place)) / str(count), count)
            all_gb = count * (SIZE * SIZE * 3 + 36) / 1e9
            for cache_gb in (all_gb * 1.01, all_gb / 3):
                rows.append(measured(folder, count, cache_gb=round(cache_gb, 3), limit_gb=asked.limit_gb))
                print(json.dumps(rows[-1], indent=1), flush=True)
                shutil.rmtree(folder / ".foldproof" / "cache", ignore_errors=True)
    write(rows, RESULTS)


def write(rows: list[dict[str, Any]], folder: Path) -> None:
    """`DATE-PROCESSOR-memory.json` and `.md`."""
    machine = describe()
    date = dt.datetime.now(dt.UTC).date().isoformat()
    about = {
        "v": 1,
        "date": date,
        "commit": commit(),
        "machine": {name: machine[name] for name in MACHINE},
        "versions": {name: version(name) for name in LIBRARIES},
        "runs": rows,
    }
    name = f"{date}-{slug(machine['processor'])}-memory"
    write_atomically(folder / f"{name}.json", json.dumps(about, indent=1) + "\n")
    write_atomically(folder / f"{name}.md", page(about))


def page(about: dict[str, Any]) -> str:
    """The same as Markdown."""
    text = HEAD.format(**circumstances(about))
    for row in about["runs"]:
        each = ", ".join(f"{name.rpartition(' ')[0]} {held / 1e6:.0f}" for name, held in row["at_peak"].items())
        limit = f"{row['limit_gb']:g}" if row["limit_gb"] else "none"
        text += (
            f"| {row['images']:,} | {row['cache_gb']:g} | {limit} | {row['peak'] / 1e9:.2f} | {each} | {row['killed']} "
            f"| {row['returncode']} | {row['seconds']:.0f} | {row['cpu_seconds']:.0f} |\n"
        )
    return text


if __name__ == "__main__":
    main()
