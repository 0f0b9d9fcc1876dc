"""Changes that a person may make to a project without meaning to, and some that cannot matter, drawn by seed."""

import json
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from ruamel.yaml import YAML

from conftest import draw_classes
from recorded import done

MODEL = """\
from torch import nn

from partlib import slope


def net(*, classes, pretrained):
    trunk = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(slope()),
        nn.Dropout(0.2),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return nn.Sequential(trunk, nn.Linear(8, classes))
"""
SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: 'own_model:net', batch_size: 8, epochs: 2, seed: 5, lr: 0.01, augment: light}
experiments: {own: {}}
execution: {executor: inline}
tracking: {enabled: false}
"""


@dataclass
class World:
    """A project, the packages beside it and the environment in which its commands run."""

    project: Path
    packages: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def images(self) -> list[Path]:
        return sorted((self.project / "images").glob("*/*.png"))


@dataclass(frozen=True)
class Mutation:
    """A change, and the kinds of cause that would be right; none for what cannot matter."""

    name: str
    change: Callable[[World, random.Random], None]
    causes: tuple[str, ...] = ()


def make_world(parent: Path) -> World:
    """A project with a model of its own, which takes a number from an installed package."""
    world = World(parent / "project", parent / "packages")
    draw_classes(world.project / "images", each=8)
    (world.project / "params.yaml").write_text(SETTINGS)
    (world.project / "own_model.py").write_text(MODEL)
    (world.project / "notes.py").write_text("MEANING = 42\n")
    install(world, "partlib", "1.0", "def slope():\n    return 0.01\n")
    install(world, "bystander", "1.0", "")
    (world.project / ".gitignore").write_text("/images\n/runs/\n/.foldproof/\n__pycache__/\n")
    done(world.project, "git", "init", "--quiet")
    done(world.project, "git", "add", "--all")
    done(world.project, "git", "commit", "--quiet", "--message", "all")
    world.environment["PYTHONPATH"] = f"{Path(__file__).parents[1] / 'src'}:{world.packages}"
    return world


def install(world: World, name: str, version: str, source: str) -> None:
    for old in world.packages.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    info = world.packages / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "top_level.txt").write_text(f"{name}\n")
    (world.packages / f"{name}.py").write_text(source)


def setting(world: World, text: str, other: str) -> None:
    path = world.project / "params.yaml"
    content = path.read_text()
    assert text in content
    path.write_text(content.replace(text, other))


def a_pixel(world: World, chance: random.Random) -> None:
    path = chance.choice(world.images)
    pixels = np.asarray(Image.open(path)).copy()
    y, x, channel = (chance.randrange(size) for size in pixels.shape)
    pixels[y, x, channel] ^= 1 << chance.randrange(3, 8)
    Image.fromarray(pixels).save(path)


def a_label(world: World, chance: random.Random) -> None:
    path = chance.choice(world.images)
    others = [folder for folder in (world.project / "images").iterdir() if folder != path.parent]
    path.rename(chance.choice(sorted(others)) / f"moved-{path.name}")


def a_learning_rate(world: World, chance: random.Random) -> None:
    setting(world, "lr: 0.01", f"lr: {0.01 * (1 + chance.choice([-1, 1]) * chance.uniform(1e-6, 1e-5)):.9f}")


def a_seed(world: World, chance: random.Random) -> None:
    setting(world, "seed: 5", f"seed: {chance.randrange(6, 1000)}")


def a_batch_size(world: World, chance: random.Random) -> None:
    setting(world, "batch_size: 8", f"batch_size: {chance.choice([4, 6, 7])}")


def a_line_of_the_model(world: World, chance: random.Random) -> None:
    lines = {
        "nn.ReLU()": "nn.ReLU6()",
        "nn.BatchNorm2d(8)": "nn.BatchNorm2d(8, eps=1e-4)",
        "nn.AdaptiveAvgPool2d(1)": "nn.AdaptiveMaxPool2d(1)",
        "nn.Conv2d(8, 8, 3, padding=1)": "nn.Conv2d(8, 8, 3, padding=1, bias=False)",
        "nn.Conv2d(3, 8, 3, padding=1)": "nn.Conv2d(3, 8, 3, padding=2)",
    }
    old = chance.choice(sorted(lines))
    (world.project / "own_model.py").write_text(MODEL.replace(old, lines[old]))


def dropout(world: World, chance: random.Random) -> None:
    text = MODEL.replace("Dropout(0.2)", f"Dropout({chance.uniform(0.2001, 0.6):.4f})")
    (world.project / "own_model.py").write_text(text)


def an_instruction_level(world: World, chance: random.Random) -> None:
    world.environment["ATEN_CPU_CAPABILITY"] = chance.choice(["default", "avx2"])
    world.environment["ONEDNN_MAX_CPU_ISA"] = chance.choice(["SSE41", "AVX2"])


def a_package_that_matters(world: World, chance: random.Random) -> None:
    install(world, "partlib", "1.1", f"def slope():\n    return {chance.uniform(0.011, 0.3):.4f}\n")


def a_fold_assignment(world: World, chance: random.Random) -> None:
    """Two images of one class change places."""
    path = world.project / "folds.csv"
    lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    one = chance.randrange(len(rows))
    others = [n for n, row in enumerate(rows) if row[4] != rows[one][4] and row[6] == rows[one][6]]
    other = chance.choice(others)
    rows[one][4], rows[other][4] = rows[other][4], rows[one][4]
    path.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")


def threads(world: World, chance: random.Random) -> None:
    setting(world, "seed: 5", f"seed: 5, threads: {chance.choice([2, 3])}")


def file_order(world: World, chance: random.Random) -> None:
    """The same files, made again in another order and at other times."""
    contents = [(path, path.read_bytes()) for path in world.images]
    shutil.rmtree(world.project / "images")
    chance.shuffle(contents)
    for path, content in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def names_of_files(world: World, chance: random.Random) -> None:
    for path in chance.sample(world.images, 6):
        path.rename(path.with_name(f"{chance.randrange(10**6):06d}-{path.name}"))


def an_unrelated_package(world: World, chance: random.Random) -> None:
    install(world, "bystander", f"1.{chance.randrange(1, 9)}", "VALUE = 1\n")


def numbers_of_threads(world: World, chance: random.Random) -> None:
    world.environment |= {"OMP_NUM_THREADS": str(chance.choice([2, 4])), "PYTHONHASHSEED": str(chance.randrange(99))}


def an_unrelated_file(world: World, chance: random.Random) -> None:
    (world.project / "notes.py").write_text(f"MEANING = {chance.randrange(100)}\n")


def where_it_lies(world: World, chance: random.Random) -> None:
    moved = world.project.with_name(f"moved {chance.randrange(100)}")
    world.project.rename(moved)
    world.project = moved


def another(key: str, value: object) -> Callable[[World, random.Random], None]:
    """One setting of the file, `section.key`, is `value`."""

    def change(world: World, chance: random.Random) -> None:
        path = world.project / "params.yaml"
        settings = YAML(typ="safe").load(path)
        section, _, name = key.partition(".")
        settings[section][name] = value
        path.write_text(json.dumps(settings))

    return change


# Every other setting that defines a result; folds.scheme and data.channels ask for other data.
SETTINGS_CHANGED = (
    ("data.image_size", 10),
    ("data.resize", "pad"),
    ("folds.k", 3),
    ("folds.seed", 2),
    ("folds.repeats", 2),
    ("train.backbone", "small_cnn"),
    ("train.pretrained", True),
    ("train.freeze_backbone", True),
    ("train.any_image_size", True),
    ("train.epochs", 3),
    ("train.validation_batch_size", 1),
    ("train.optimizer", "sgd"),
    ("train.weight_decay", 0.1),
    ("train.momentum", 0.5),
    ("train.schedule", "cosine"),
    ("train.augment", "none"),
    ("train.class_weights", "balanced"),
    ("train.portable", True),
    ("train.precision", "bfloat16"),
    ("train.compile", True),
)
OF_SETTINGS = tuple(Mutation(f"{key}: {value}", another(key, value), ("config",)) for key, value in SETTINGS_CHANGED)
MUTATIONS = (
    Mutation("a pixel", a_pixel, ("data",)),
    Mutation("a label", a_label, ("data",)),
    Mutation("the learning rate, sixth digit", a_learning_rate, ("config",)),
    Mutation("the seed", a_seed, ("config",)),
    Mutation("the batch size", a_batch_size, ("config",)),
    Mutation("a line of the model", a_line_of_the_model, ("code",)),
    Mutation("dropout", dropout, ("code",)),
    Mutation("the instruction level", an_instruction_level, ("instruction set",)),
    Mutation("a package that matters", a_package_that_matters, ("package",)),
    Mutation("the assignment to folds", a_fold_assignment, ("folds",)),
    Mutation("threads", threads, ("threads",)),
)
NEUTRAL = (
    Mutation("order of files", file_order),
    Mutation("names of files", names_of_files),
    Mutation("an unrelated package", an_unrelated_package),
    Mutation("OMP_NUM_THREADS, PYTHONHASHSEED", numbers_of_threads),
    Mutation("an unrelated file", an_unrelated_file),
    Mutation("where the project lies", where_it_lies),
)


def first_difference(record: Path, kept: Path) -> tuple[int, int, int | None] | None:
    """(fold, epoch, step) of the first difference by reading files alone; None where all is the same.

    Epoch 0 is before the first; step None where only what was recorded at the end of an epoch differs.
    """
    for fold in sorted(path.name for path in record.glob("fold-*-*")):
        number = int(fold.rsplit("-", 1)[1])
        old, new = (events(run / fold) for run in (record, kept))
        if old[0] != new[0]:
            return number, 0, None
        losses = [np.fromfile(run / fold / "steps.f32", dtype="<u4") for run in (record, kept)]
        steps = [event["steps"] for event in old if "steps" in event]
        for epoch, last in enumerate(steps, start=1):
            first = steps[epoch - 2] if epoch > 1 else 0
            for step in range(first, last):
                if losses[0][step] != losses[1][step]:
                    return number, epoch, step - first + 1
            if old[epoch] != new[epoch]:
                return number, epoch, None
        if old != new:
            return number, len(steps) + (len(new) > len(old)), None
    return None


def events(folder: Path) -> list[dict[str, object]]:
    """What a fold said, without what follows the clock."""
    lines = [json.loads(line[18:]) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    return [line["data"] for line in lines if re.fullmatch("FoldStarted|EpochFinished|FoldFinished", line["kind"])]
