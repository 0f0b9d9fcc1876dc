"""`foldproof predict` beside a bare loop over the same images on the same cores, and its memory by number of images.

    python -m benchmarks.predict [--images 500] [--rounds 3] [--backbone resnet18] [--memory 500 2000] [--folder FOLDER]

Draws JPEGs of 320 x 240 pixels, noise on smooth patches, and trains a model for a moment. A round labels all images by
`predict` (its stream, without start-up) and by the bare loop: Pillow in a thread a core, then the network with torch's
own threads, in batches of 32, nothing checked, hashed or written. Which is first changes from round to round. Rates are
images a second. CPU seconds are held against those of the same loop on a single thread, which waits for no other: two
threads on one core with two lines of instructions take more of them for the same work.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.anonymous import watch
from foldproof.executors.memory import keep_freed_memory
from foldproof.predict.images import ImageFile
from foldproof.predict.opened import opened_models
from foldproof.project import Project
from foldproof.provenance.machine import available_cores
from foldproof.reproduce.record_source import RecordSource

SIZE, BATCH = 224, 32
SETTINGS = """\
version: 1
data: {{path: images, image_size: 224}}
folds: {{k: 2, seed: 1}}
train: {{backbone: {backbone}, batch_size: 8, epochs: 1, seed: 5}}
tracking: {{enabled: false}}
experiments: {{net: {{}}}}
"""


@dataclass(frozen=True)
class Spent:
    wall: float
    cpu: float


def draw(folder: Path, count: int, *, first: int = 0) -> list[str]:
    """`count` photos, or so they cost: those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:06d}.jpg" for number in range(first, first + count)]
    for number, file in enumerate(files, first):
        if not file.exists():
            random = np.random.default_rng(number)
            patches = Image.fromarray(random.integers(0, 200, (6, 8, 3), dtype=np.uint8)).resize((320, 240), 2)
            noise = random.integers(0, 40, (240, 320, 3), dtype=np.uint8)
            Image.fromarray(np.asarray(patches) + noise).save(file, quality=90)
    return list(map(str, files))


def trained(place: Path, backbone: str) -> Path:
    """A project with a run of the backbone; its folder."""
    (place / "params.yaml").write_text(SETTINGS.format(backbone=backbone))
    for number, name in enumerate(("a", "b")):
        draw(place / "images" / name, 8, first=1_000_000 + 8 * number)
    if not list(place.glob("runs/*/run.json")):
        status = watch([sys.executable, "-m", "foldproof", "run", "--quiet"], place).returncode
        assert status == 0, "the run failed"
    return Project.find(place).run_folders()[-1]


def spent(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def bare(network: torch.nn.Module, files: Sequence[str], cores: int) -> None:
    """As a script does it, decoding first and then asking the network, each on all cores."""

    def decoded(file: str) -> np.ndarray:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR))

    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    with ThreadPoolExecutor(cores) as pool, torch.inference_mode():
        for start in range(0, len(files), 16 * BATCH):
            pixels = list(pool.map(decoded, files[start : start + 16 * BATCH]))
            for first in range(0, len(pixels), BATCH):
                batch = torch.from_numpy(np.stack(pixels[first : first + BATCH])).permute(0, 3, 1, 2)
                torch.softmax(network(batch.float().div_(255).sub_(0.45).div_(0.225)), dim=1).numpy()
    torch.set_num_threads(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--memory", type=int, nargs="*", default=[500, 2000])
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    keep_freed_memory()
    with nullcontext(asked.folder) if asked.folder else tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.mkdir(exist_ok=True)
        folder = trained(place, asked.backbone)
        files, cores = draw(place / "new", asked.images), available_cores()
        os.chdir(place)
        pairs = []
        source = RecordSource(folder=folder, is_foreign=False)
        with opened_models(source, by="fold:0", project=Project.find(place), device="cpu") as models:
            items = [ImageFile(file, file) for file in files]
            network = models.labeller.ensemble.judges[0].classifier
            ways = {
                "predict": lambda: list(models.labeller.label(items)),
                "bare": lambda: bare(network, files, cores),
                "single": lambda: bare(network, files, 1),
            }
            for number in range(asked.rounds):
                order = list(ways) if number % 2 == 0 else list(ways)[::-1]
                took = {way: spent(ways[way]) for way in order}
                rates = {way: len(files) / took[way].wall for way in ways}
                ratio = took["bare"].wall / took["predict"].wall
                cpu = took["single"].cpu / took["predict"].cpu
                pairs.append((ratio, cpu))
                print(
                    f"round {number + 1}: predict {rates['predict']:.1f}/s, bare {rates['bare']:.1f}/s: {ratio:.2f}"
                    f" of its rate, {cpu:.2f} of the CPU efficiency of one thread",
                    flush=True,
                )
        found = {
            "backbone": asked.backbone,
            "images": len(files),
            "cores": cores,
            "rate_ratio": round(statistics.median(ratio for ratio, _ in pairs), 3),
            "cpu_efficiency": round(statistics.median(cpu for _, cpu in pairs), 3),
        }
        for count in asked.memory:
            listed = place / f"{count}.csv"
            listed.write_text("path\n" + "\n".join(draw(place / "new", count)) + "\n")
            command = [sys.executable, "-m", "foldproof", "predict", "net", str(listed), "--by", "fold:0"]
            held = watch([*command, "-o", str(place / "labels.csv")], place)
            assert held.returncode == 0, "predict failed"
            found[f"peak_mb_{count}"] = round(held.peak / 1e6)
            found[f"seconds_{count}"] = round(held.seconds, 1)
        print(json.dumps(found))


if __name__ == "__main__":
    main()
