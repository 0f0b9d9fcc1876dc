"""Look up parts by name: built-in tables as strings, installed plugins, dotted paths."""

import importlib
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from foldproof.errors import UnknownName, nearest

_PICTURES = (
    ".apng", ".avif", ".bmp", ".dib", ".gif", ".j2c", ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg",
    ".jpx", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip

SEAMS: MappingProxyType[str, MappingProxyType[str, str]] = MappingProxyType(
    {
        "readers": MappingProxyType(
            {
                **dict.fromkeys(_PICTURES, "foldproof.data.readers:read_with_pillow"),
                **dict.fromkeys((".heic", ".heif", ".hif"), "foldproof.data.heic:read_heic"),
                ".npy": "foldproof.data.npy:read_npy",
                **dict.fromkeys((".dcm", ".dicom", ".ima"), "foldproof.data.dicom:read_dicom"),
            }
        ),
        "backbones": MappingProxyType(
            {
                "small_cnn": "foldproof.models.small_cnn:small_cnn",
                "efficientnet_lite0": "foldproof.models.efficientnet_lite0:efficientnet_lite0",
            }
        ),
        "schemes": MappingProxyType(
            {
                "stratified": "foldproof.folds.schemes:stratified",
                "leave-one-group-out": "foldproof.folds.schemes:leave_one_group_out",
                "predefined": "foldproof.folds.schemes:predefined",
                "time": "foldproof.folds.schemes:time",
            }
        ),
        "metrics": MappingProxyType(
            {
                "accuracy": "foldproof.metrics:accuracy",
                "balanced_accuracy": "foldproof.metrics:balanced_accuracy",
                "macro_f1": "foldproof.metrics:macro_f1",
                "log_loss": "foldproof.metrics:log_loss",
            }
        ),
        "augmentations": MappingProxyType(
            {
                "none": "foldproof.training.augment:none",
                "light": "foldproof.training.augment:light",
            }
        ),
        "class_weights": MappingProxyType(
            {
                "none": "foldproof.training.losses:equal_weights",
                "balanced": "foldproof.training.losses:balanced_weights",
            }
        ),
        "optimizers": MappingProxyType(
            {
                "adam": "foldproof.training.optim:adam",
                "adamw": "foldproof.training.optim:adamw",
                "sgd": "foldproof.training.optim:sgd",
            }
        ),
        "schedules": MappingProxyType(
            {
                "constant": "foldproof.training.optim:constant",
                "cosine": "foldproof.training.optim:cosine",
            }
        ),
        "executors": MappingProxyType(
            {
                "inline": "foldproof.executors.inline:InlineExecutor",
                "process": "foldproof.executors.process:ProcessExecutor",
                "interleaved": "foldproof.executors.interleaved:InterleavedExecutor",
            }
        ),
        "trackers": MappingProxyType(
            {
                "console": "foldproof.trackers.console:ConsoleTracker",
                "mlflow": "foldproof.trackers.mlflow.tracker:MlflowTracker",
                "tensorboard": "foldproof.trackers.tensorboard:TensorBoardTracker",
            }
        ),
    }
)


def names(seam: str) -> tuple[str, ...]:
    """The names that `seam` knows: built in and installed, sorted."""
    installed = (point.name for point in entry_points(group=f"foldproof.{seam}"))
    return tuple(sorted({*SEAMS[seam], *installed}))


def is_known(seam: str, name: str) -> bool:
    """Whether `name` is in the table of `seam`, installed, or a dotted path. Imports nothing."""
    return name in SEAMS[seam] or is_dotted_path(name) or _installed(seam, name) is not None


def is_dotted_path(name: str) -> bool:
    """Whether `name` has the form `package.module:attribute`."""
    module, colon, attribute = name.partition(":")
    return bool(colon) and attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))


def target(seam: str, name: str) -> str | None:
    """Where `name` of `seam` is, as `package.module:attribute`; None where nothing is called so. Imports nothing."""
    return SEAMS[seam].get(name) or _installed(seam, name) or (name if is_dotted_path(name) else None)


def load(seam: str, name: str) -> Any:
    """Load the part called `name` of `seam`. Raises UnknownName, with the nearest known name."""
    place = target(seam, name)
    if place is None:
        raise unknown(seam, name)
    module, _, attribute = place.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        top = module.partition(".")[0]
        raise UnknownName(
            f"cannot load '{name}' of {seam}: {error}",
            next_step=f"rename the project's own '{top}': Python or an installed package has a module of that name"
            if _is_hidden(top)
            else "the module must be importable from the project's folder or installed",
        ) from error


def unknown(seam: str, name: str) -> UnknownName:
    """The error for a name that `seam` does not know."""
    known = names(seam)
    hint = nearest(name, known)
    return UnknownName(
        f"no '{name}' among the {seam.replace('_', ' ')}{'; ' + hint if hint else ''}",
        next_step=f"known: {', '.join(known)}; or a dotted path 'your_module:attribute'",
    )


def make_importable(folder: Path) -> None:
    """Let dotted paths find modules that lie in the project's folder.

    It is searched last: a file there stands for no module of Python's or of an installed package.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def make_named_importable(folder: Path, names: Iterable[str]) -> None:
    """`make_importable` where one of `names` is a dotted path; else nothing in the folder is ever imported."""
    if any(map(is_dotted_path, names)):
        make_importable(folder)


def _is_hidden(module: str) -> bool:
    """Whether a file that could be `module` is passed over, since another one is found before it."""
    places = [
        entry
        for entry in sys.path
        if (Path(entry) / f"{module}.py").is_file() or (Path(entry) / module / "__init__.py").is_file()
    ]
    return len(places) > 1 or (bool(places) and module in sys.builtin_module_names)


def _installed(seam: str, name: str) -> str | None:
    found = entry_points(group=f"foldproof.{seam}", name=name)
    return next((point.value for point in found), None)
