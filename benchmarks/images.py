"""Images of a work: its kind and a folder in, class folders of files out. Nothing is downloaded.

Photos, unless a folder is given, are drawn from the two sample pictures of scikit-learn: random cuts of their halves,
each half a class, turned and lit at random, as JPEG files of 320 x 240 pixels. They cost as much as photos; their
accuracy means little.
"""

import math
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from benchmarks.works import Work
from foldproof.scaffold.demo import write_digits

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_SIZE = (320, 240)


def place(work: Work, target: Path, *, photos: Path | None) -> int:
    """Fill `target` with class folders; how many images they hold. `photos`: class folders of the user's own."""
    if work.images == "photos" and photos is not None:
        return _copy(photos, target, count=work.count)
    if work.images == "photos":
        return _draw(target, count=work.count)
    with tempfile.TemporaryDirectory() as all_digits:
        write_digits(Path(all_digits))
        return _copy(Path(all_digits), target, count=work.count)


def _copy(source: Path, target: Path, *, count: int) -> int:
    """The first images of every class, by name: as many of each, `count` or a few more in all."""
    folders = sorted(path for path in source.iterdir() if path.is_dir())
    each, copied = math.ceil(count / len(folders)), 0
    for folder in folders:
        (target / folder.name).mkdir(parents=True)
        for file in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)[:each]:
            shutil.copy(file, target / folder.name / file.name)
            copied += 1
    return copied


def _draw(target: Path, *, count: int) -> int:
    random = np.random.default_rng(42)
    halves = {}
    for name, pixels in zip(("china", "flower"), load_sample_images().images, strict=True):
        middle = pixels.shape[1] // 2
        halves |= {f"{name}-left": pixels[:, :middle], f"{name}-right": pixels[:, middle:]}
    each = math.ceil(count / len(halves))
    for name, pixels in halves.items():
        (target / name).mkdir(parents=True)
        picture = Image.fromarray(pixels)
        for number in range(each):
            width = int(random.integers(120, picture.width))
            height = width * 3 // 4
            left, top = random.integers(0, (picture.width - width, picture.height - height))
            cut = picture.crop((left, top, left + width, top + height)).rotate(float(random.uniform(-10, 10)))
            cut = ImageEnhance.Brightness(cut.resize(_SIZE)).enhance(float(random.uniform(0.7, 1.3)))
            cut.save(target / name / f"{number:03d}.jpg", quality=90)
    return each * len(halves)
