"""Calibrate the search for near-duplicates: `python benchmarks/near_duplicates.py FOLDER… [--sheets OUT]`.

Into the first folder's images copies are planted, one of each of 200 images at a time, 5 times a kind (twice as often
for two changes at once); recall is the share that ends in the applied cluster of its original. Pairs among the images
as they are, of all folders, are possible false ones: `--sheets` draws them for a person to judge. The demo's 5,000
digits, enlarged to 84 pixels, are a stress: thousands of alike things that are no copies. `--scale` times 10,000 to
100,000 made-up likenesses instead.
"""

import argparse
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image, ImageEnhance

from foldproof.data import readers
from foldproof.data.checks import duplicates
from foldproof.data.checks.duplicates import Duplicates, Looks, find_duplicates
from foldproof.data.likeness import EDGE, likeness
from foldproof.scaffold.demo import write_digits

Change = Callable[[Image.Image, np.random.Generator], Image.Image]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
DISTANCES, SCORES, CROWDED = (8, 10, 12, 14, 16), (0.90, 0.92, 0.93, 0.94, 0.95), (0.93, 0.95, 0.96, 0.97, 0.98)
ORIGINALS, ROUNDS = 200, 5


def encoded(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def recode(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return encoded(image, int(random.integers(30, 91)))


def resize(image: Image.Image, random: np.random.Generator) -> Image.Image:
    factor = 1.3 if random.random() < 0.5 else random.uniform(0.5, 0.9)
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.BICUBIC)


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), width - round(right * width), height - round(bottom * height))
    )


def crop_all_sides(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return cut(image, *[random.uniform(0.02, 0.05)] * 4)


def crop_one_side(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return cut(image, *np.where(np.arange(4) == random.integers(4), random.uniform(0.02, 0.05), 0))


def crop_unevenly(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return cut(image, *random.uniform(0, 0.05, 4))


def factor(random: np.random.Generator) -> float:
    return 1 + random.uniform(0.1, 0.25) * random.choice([-1, 1])


def brightness(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(factor(random))


def contrast(image: Image.Image, random: np.random.Generator) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(factor(random))


ONE: tuple[Change, ...] = (recode, resize, crop_all_sides, crop_one_side, crop_unevenly, brightness, contrast)


def two_of_these(image: Image.Image, random: np.random.Generator) -> Image.Image:
    first, second = random.choice(len(ONE), 2, replace=False)
    return ONE[second](ONE[first](image, random), random)


Row = tuple[int, bytes, int]


def row(image: Image.Image) -> Row:
    found = likeness(np.asarray(image))
    return found.phash, found.thumbnail, min(image.size)


def looks(rows: list[Row], labels: list[int]) -> Looks:
    """As of distinct pictures: what is exact is not what is calibrated."""
    return Looks(
        pixels=[str(number) for number in range(len(rows))],
        phash=np.array([phash for phash, _, _ in rows], dtype=np.uint64),
        thumbnails=np.stack([np.frombuffer(grey, np.uint8).reshape(EDGE, EDGE) for _, grey, _ in rows]),
        short_side=np.array([side for _, _, side in rows]),
        labels=np.array(labels),
    )


Thresholds = tuple[int, float, float]  # distance; score; score in a crowd


def searched(seen: Looks, thresholds: Thresholds) -> Duplicates:
    duplicates.DISTANCE, duplicates.CONFIRMED, duplicates.CROWDED = thresholds
    return find_duplicates(seen)


def images_in(folder: Path) -> tuple[list[Path], list[int]]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    classes = sorted({path.parent for path in paths})
    return paths, [classes.index(path.parent) for path in paths]


def planted(paths: list[Path], seed: int) -> Iterator[tuple[str, np.ndarray, list[Row]]]:
    """Kind, positions of the originals, likenesses of their copies: what makes each search is one copy of each."""
    random = np.random.default_rng(seed)
    which = np.sort(random.choice(len(paths), min(ORIGINALS, len(paths)), replace=False))
    originals = [Image.fromarray(readers.read(paths[position]).pixels) for position in which]
    for change in (*ONE, two_of_these):
        for _ in range(ROUNDS * (2 if change is two_of_these else 1)):
            yield change.__name__, which, [row(encoded(change(each, random), 92)) for each in originals]


def recalled(found: Duplicates, which: np.ndarray, count: int) -> int:
    unit_of = {position: number for number, unit in enumerate(found.units) for position in unit}
    return sum(unit_of.get(int(original), -1) == unit_of.get(count + copy, -2) for copy, original in enumerate(which))


def calibrate(folders: list[Path], sheets: Path | None) -> None:
    chosen = (duplicates.DISTANCE, duplicates.CONFIRMED, duplicates.CROWDED)
    paths = dict[str, list[Path]]()
    sets = dict[str, Looks]()
    for folder in folders:
        paths[folder.name], labels = images_in(folder)
        rows = [row(Image.fromarray(readers.read(path).pixels)) for path in paths[folder.name]]
        sets[folder.name] = looks(rows, labels)
    sets |= digits()
    first, count = folders[0].name, len(paths[folders[0].name])
    copies = [(kind, which, together(sets[first], rows, which)) for kind, which, rows in planted(paths[first], seed=7)]
    print(f"Copies of {min(ORIGINALS, count)} images of {first} ({count}); distance, score, in a crowd: {chosen}\n")
    print("| kind | copies | recall |\n|---|---|---|")
    for kind in dict.fromkeys(kind for kind, _, _ in copies):
        of_kind = [copy for copy in copies if copy[0] == kind]
        number = sum(len(which) for _, which, _ in of_kind)
        print(f"| {kind.replace('_', ' ')} | {number} | {recall(of_kind, count, chosen):.3f} |")
    print("\nRecall of all; pairs (images in the largest cluster, clusters applied) among the images as they are\n")
    print(
        "| distance | score | crowd | recall |",
        " | ".join(f"{name} ({len(s.pixels)})" for name, s in sets.items()),
        "|",
    )
    print("|---" * (4 + len(sets)) + "|")
    grid = [(distance, score, max(score, chosen[2])) for distance in DISTANCES for score in SCORES]
    for thresholds in [*grid, *((*chosen[:2], crowded) for crowded in CROWDED)]:
        cells = [
            f"{thresholds[0]} | {thresholds[1]:.2f} | {thresholds[2]:.2f}",
            f"{recall(copies, count, thresholds):.3f}",
        ]
        cells += [cell(searched(seen, thresholds)) for seen in sets.values()]
        print("|", " | ".join(cells), "|", flush=True)
    for name in paths if sheets else ():
        draw(searched(sets[name], chosen), paths[name], sheets / f"{name}.png")


def digits() -> dict[str, Looks]:
    """The demo's digits as they are, which are too small for the near search, and enlarged."""
    with TemporaryDirectory() as scratch:
        write_digits(Path(scratch) / "digits")
        paths, labels = images_in(Path(scratch) / "digits")
        pictures = [Image.fromarray(readers.read(path).pixels) for path in paths]
    larger = [row(each.resize((84, 84), Image.Resampling.BICUBIC)) for each in pictures]
    return {"digits, 84 px": looks(larger, labels), "digits, 28 px": looks([row(each) for each in pictures], labels)}


def recall(copies: list[tuple[str, np.ndarray, Looks]], count: int, thresholds: Thresholds) -> float:
    hits = sum(recalled(searched(seen, thresholds), which, count) for _, which, seen in copies)
    return hits / sum(len(which) for _, which, _ in copies)


def together(base: Looks, rows: list[Row], which: np.ndarray) -> Looks:
    more = looks(rows, [int(label) for label in base.labels[which]])
    return Looks(
        pixels=[*base.pixels, *(f"copy {number}" for number in more.pixels)],
        phash=np.concatenate([base.phash, more.phash]),
        thumbnails=np.concatenate([base.thumbnails, more.thumbnails]),
        short_side=np.concatenate([base.short_side, more.short_side]),
        labels=np.concatenate([base.labels, more.labels]),
    )


def cell(found: Duplicates) -> str:
    largest = max((len(cluster.members) for cluster in found.clusters), default=0)
    return f"{len(found.pairs)} ({largest}; {len(found.units)})"


def draw(found: Duplicates, paths: list[Path], file: Path) -> None:
    """The pairs side by side, the least alike first."""
    pairs = sorted(found.pairs, key=lambda pair: pair.likeness)
    sheet = Image.new("RGB", (6 * 260, max(1, -(-len(pairs) // 6)) * 130), "white")
    for number, pair in enumerate(pairs):
        for side, position in enumerate((pair.first, pair.second)):
            small = Image.fromarray(readers.read(paths[position]).pixels).resize((124, 124))
            sheet.paste(small, (number % 6 * 260 + side * 126, number // 6 * 130))
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file)


def soft(random: np.random.Generator, count: int) -> np.ndarray:
    """Thumbnails of 8 x 8 random greys."""
    greys = random.integers(0, 256, (count, 8, 8), dtype=np.uint8)
    return greys.repeat(EDGE // 8, axis=1).repeat(EDGE // 8, axis=2)


def made_up(kind: str, count: int) -> Looks:
    random = np.random.default_rng(0)
    thumbnails, hashes = soft(random, count), np.zeros(count, dtype=np.uint64)
    if kind == "5 % copies":
        hashes, copies = random.integers(0, 2**64, count, dtype=np.uint64), count // 20
        hashes[:copies] = hashes[copies : 2 * copies] ^ np.uint64(1 << 7)
        noise = random.integers(-9, 10, (copies, EDGE, EDGE))
        thumbnails[:copies] = np.clip(thumbnails[copies : 2 * copies] + noise, 0, 255)
    elif kind == "all alike, never confirmed":
        noise = random.normal(0, 28, (count, EDGE, EDGE))
        thumbnails = np.clip(thumbnails[0] * 0.4 + 60 + noise, 0, 255).astype(np.uint8)
    elif kind == "nearly blank, noisy":
        slope = 180 + np.add.outer(np.arange(EDGE), np.arange(EDGE))
        thumbnails = np.clip(slope + random.normal(0, 3, (count, EDGE, EDGE)), 0, 255).astype(np.uint8)
        hashes = random.integers(0, 2**10, count, dtype=np.uint64)
    numbers = ["same" if kind == "identical" else str(number) for number in range(count)]
    return Looks(numbers, hashes, thumbnails, np.full(count, 100), np.zeros(count, dtype=np.int64))


def scale() -> None:
    print("| made-up images | n | wall s | CPU s | clusters applied |\n|---|---|---|---|---|")
    for kind in ("5 % copies", "one hash, other thumbnails", "nearly blank, noisy", "identical",
                 "all alike, never confirmed"):  # fmt: skip
        for count in (10_000, 30_000, 100_000):
            if count == 100_000 and kind in ("nearly blank, noisy", "all alike, never confirmed"):
                continue
            seen = made_up(kind, count)
            begun, used = time.perf_counter(), time.process_time()
            found = find_duplicates(seen)
            wall, used = time.perf_counter() - begun, time.process_time() - used
            print(f"| {kind} | {count} | {wall:.1f} | {used:.1f} | {len(found.units)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--scale", action="store_true")
    options = parser.parse_args()
    if options.scale:
        scale()
    else:
        calibrate(options.folders, options.sheets)


if __name__ == "__main__":
    main()
