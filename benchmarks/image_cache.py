"""Decoded images: made, used again, checked, and made anew from a cache with ten images fewer.

    python benchmarks/image_cache.py [IMAGES]

Draws JPEGs of 256 pixels in a temporary folder and decodes them to 224.
Prints seconds of one run, the machine and its load.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.rows.files import is_whole
from foldproof.data.scan import scan
from foldproof.provenance.machine import describe


def draw(folder, count):
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = random.integers(0, 255, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((256, 256)).save(path, quality=80)
    return folder


def timed(what, action):
    begun = time.perf_counter()
    result = action()
    print(f"{what:<32}{time.perf_counter() - begun:8.2f} s")
    return result


def main(count):
    with tempfile.TemporaryDirectory() as place:
        folder, cache = draw(Path(place) / "images", count), Path(place) / "cache"
        more = scan(folder).dataset
        fewer = Dataset.of(more.samples[:-10])

        def decode(dataset):
            return decoded(dataset, Originals(folder, Form(size=224)), cache=cache)

        made = timed("decode", lambda: decode(fewer))
        timed("use again", lambda: decode(fewer))
        timed("read and compare every row", lambda: is_whole(made, deep=True))
        timed("ten images more", lambda: decode(more))
        print(f"{made.stat().st_size / 1e9:.2f} GB; {describe()['processor']}, load {os.getloadavg()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
