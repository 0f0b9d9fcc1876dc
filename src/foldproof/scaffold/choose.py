"""Choose settings that suit the images, each with its reason. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from foldproof.data.dataset import are_uneven
from foldproof.scaffold.seen import FolderLook

SMALL = 64  # pixels: of less, a network made for photographs sees little more than its own enlargement
MANY = 3000  # images of that size from which a network of one's own learns better than frozen features
SHAPE = 1.15  # between the aspect ratios of the 5 % and the 95 % of the images


@dataclass(frozen=True)
class Choice:
    """The value of a setting, and why in a few words."""

    value: Any
    why: str


@dataclass(frozen=True)
class Experiment:
    """What an experiment changes of the settings."""

    name: str
    changes: Mapping[str, Mapping[str, Any]]
    why: str


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Sections of settings, in the order in which they are written, and the experiments to begin with."""

    sections: Mapping[str, Mapping[str, Choice]]
    experiments: tuple[Experiment, ...]


def choose(seen: FolderLook) -> Choices:
    """Settings for the images that were seen; for none, those that suit most photographs."""
    small = _is_small(seen)
    edge = _edge(seen)
    sections: dict[str, dict[str, Choice]] = {"data": _data(seen, edge if small else None), "folds": _folds(seen)}
    sections["train"] = _small_network() if small else _frozen_features()
    if are_uneven(seen.count_by_class.values()):
        ratio = f"the largest class has {_imbalance(seen):.0f} times the images of the smallest"
        sections["train"]["class_weights"] = Choice("balanced", f"{ratio}: rare ones count more")
        sections["compare"] = {"metric": Choice("balanced_accuracy", "every class counts the same, however rare")}
    return Choices(sections=sections, experiments=_own_network_tries() if small else _linear_tries())


def _data(seen: FolderLook, edge: int | None) -> dict[str, Choice]:
    made = {"path": Choice(seen.path, _said_of(seen)), **_labels(seen)}
    if seen.test:
        made["test"] = Choice(seen.test, "kept apart: no fold trains or validates on it")
    if seen.exclude:
        made["exclude"] = Choice(
            list(seen.exclude), "left out: a test, a copy, a version of others, or without classes"
        )
    if seen.masks:
        made["masks"] = Choice("exclude", f"{seen.masks:,} are called like masks of other images; or train")
    if seen.group_by:
        made["group_by"] = Choice(seen.group_by, f"{seen.grouped}: each stays in one fold")
    if edge:
        made["image_size"] = Choice(edge, f"edge in pixels: the images have {edge}")
    else:
        made["image_size"] = Choice("auto", "edge in pixels of what the network sees; auto = what it was made for")
    if _shapes_differ(seen):
        made["resize"] = Choice("pad", "shapes differ: nothing is distorted or cut off; or squash, crop")
    return made


def _labels(seen: FolderLook) -> dict[str, Choice]:
    made: dict[str, Choice] = {}
    if seen.table:
        made["labels"] = Choice(seen.table, seen.note or "says the class of each image")
    if seen.classes:
        made["classes"] = Choice(dict(seen.classes), f"names for its labels, as {seen.names_in} has them")
    if seen.columns:
        is_split = "split" in seen.columns
        why = "its column of splits is not heeded: every image is in a fold" if is_split else "its column of labels"
        made["columns"] = Choice(dict(seen.columns), why)
    if seen.label_by:
        made["label_by"] = Choice(seen.label_by, seen.note or "the class is the folder that an image lies in")
    return made


def _said_of(seen: FolderLook) -> str:
    if not seen.images:
        return "a folder for each class, with its images in it"
    sizes = ""
    if seen.sizes:
        width, height = (int(median(edges)) for edges in zip(*seen.sizes, strict=True))
        sizes = f", about {width} x {height} pixels"
    return f"{seen.images:,} images in {len(seen.count_by_class)} classes{sizes}"


def _folds(seen: FolderLook) -> dict[str, Choice]:
    if seen.folds:
        why = f"the {seen.folds} folds that the table numbers; stratified = foldproof cuts them"
        return {"scheme": Choice("predefined", why)}
    smallest = min(seen.count_by_class.values(), default=5)
    k = max(2, min(5, smallest, seen.groups or 5))
    why = "every image validates once, in one of k folds"
    if k < 5:
        few = "groups" if seen.groups and seen.groups <= smallest else "images"
        why = f"few {few}: with more folds, one would be without a class"
    return {"k": Choice(k, why), "seed": Choice(42, "of the assignment; folds.csv keeps it")}


def _frozen_features() -> dict[str, Choice]:
    return {
        "backbone": Choice("efficientnet_lite0", "or small_cnn, or any torchvision or timm model"),
        "pretrained": Choice(True, "its weights come with foldproof: no download"),
        "freeze_backbone": Choice(True, "train one linear layer on its features: minutes on a laptop"),
        **_training(20, "features are computed once; with light (flips, crops) again in every epoch"),
    }


def _small_network() -> dict[str, Choice]:
    return {
        "backbone": Choice("small_cnn", "the images are small and many: a small network of their own"),
        **_training(5, "or light: flips and crops, where a mirrored picture means the same"),
    }


def _training(epochs: int, augment: str) -> dict[str, Choice]:
    return {
        "optimizer": Choice("adam", "or adamw, sgd"),
        "lr": Choice(0.001, "learning rate"),
        "batch_size": Choice(32, "images in a training step"),
        "epochs": Choice(epochs, "passes over the training images"),
        "augment": Choice("none", augment),
        "seed": Choice(42, "of weights, order, augmentation and dropout"),
    }


def _linear_tries() -> tuple[Experiment, ...]:
    return (
        Experiment("linear", {}, "as it stands above"),
        Experiment("linear_high_lr", {"train": {"lr": 0.01}}, "ten times the learning rate"),
    )


def _own_network_tries() -> tuple[Experiment, ...]:
    return (
        Experiment("short", {"train": {"epochs": 2}}, "two passes"),
        Experiment("longer", {}, "as it stands above"),
        Experiment("longer_high_lr", {"train": {"lr": 0.01}}, "ten times the learning rate"),
    )


def _is_small(seen: FolderLook) -> bool:
    return bool(seen.sizes) and _edge(seen) <= SMALL and seen.images >= MANY


def _edge(seen: FolderLook) -> int:
    return max(8, int(median(max(size) for size in seen.sizes))) if seen.sizes else 0


def _imbalance(seen: FolderLook) -> float:
    counts = seen.count_by_class.values()
    return max(counts) / min(counts) if counts else 1.0


def _shapes_differ(seen: FolderLook) -> bool:
    ratios = sorted(width / height for width, height in seen.sizes if height)
    if len(ratios) < 2:
        return False
    return ratios[-1 - len(ratios) // 20] > SHAPE * ratios[len(ratios) // 20]
