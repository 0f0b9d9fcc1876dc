"""Write and read a `Checkpoint`: weights, classes and preprocessing in one safetensors file, usable alone.

The header of a safetensors file with several metadata keys is in random order, so there is one key, which holds sorted
JSON with a checksum of its own; and what is compared is `weights_sha256` over the tensors, never a hash of the file.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from foldproof.config.identity import canonical_json, digest
from foldproof.data.value_range import ValueRange
from foldproof.errors import DamagedFile
from foldproof.records.weights import MOST_BYTES
from foldproof.storage import cleaned, write_atomically

SCHEMA_VERSION = 3  # 1 had no checksum over what is said beside the weights; 2 no range of values
MOST_HEADER_BYTES = 16 * 2**20
_KEY = "foldproof"
_KEYS = frozenset(
    ("v", "backbone", "classes", "preprocessing", "identity", "run", "repeat", "fold", "epoch", "weights_sha256")
)
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How an image file becomes the model's input: resized to `image_size`, white made 1, less `mean`, over `std`.

    `within`: the values from black to white; None for 8-bit images, whose white is 255. As many channels as `mean` has.
    """

    image_size: int
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    within: ValueRange | None = None

    def to_json(self) -> dict[str, Any]:
        said = asdict(replace(self, within=None))
        del said["within"]
        return said if self.within is None else {**said, "range": self.within._asdict()}


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Trained weights usable alone."""

    weights: Mapping[str, torch.Tensor]
    backbone: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    identity: str
    run: str
    repeat: int
    fold: int
    epoch: int

    def save(self, path: Path) -> Path:
        """Write the file; a crash leaves the old one or the new one. Raises StorageError."""
        about = {
            "v": SCHEMA_VERSION if self.preprocessing.within else 2,
            "backbone": self.backbone,
            "classes": self.classes,
            "preprocessing": self.preprocessing.to_json(),
            "identity": self.identity,
            "run": self.run,
            "repeat": self.repeat,
            "fold": self.fold,
            "epoch": self.epoch,
            "weights_sha256": weights_sha256(self.weights),
        }
        return save_tensors(path, self.weights, canonical_json({**about, "sha256": digest(about)}).decode())

    @staticmethod
    def load(path: Path) -> "Checkpoint":
        """Read a file that `save` wrote, of this schema version or an older one.

        Raises DamagedFile where a bit of it is not as it was written, or where it is none; no code in it is run.
        """
        try:
            _check_shape(path)
            with safe_open(path, framework="pt") as file:
                about = _about(file.metadata()[_KEY])
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if weights_sha256(weights) != about["weights_sha256"]:
                raise ValueError("the weights are not those that were saved")
            return _checkpoint(about, weights)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, RuntimeError, SafetensorError) as error:
            raise DamagedFile(
                f"{path} is not a checkpoint: {cleaned(str(error), most=200)}", next_step="train the fold again"
            ) from error


def _check_shape(path: Path) -> None:
    """A regular file of bounded size whose header leaves room for what it says. Raises OSError, ValueError."""
    if not path.is_file():  # opening a named pipe would wait for ever
        raise ValueError("no file")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"{size} bytes")
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > min(size, MOST_HEADER_BYTES):
        raise ValueError(f"a header of {header} bytes")


def _about(text: str) -> Mapping[str, Any]:
    """What is said beside the weights. Raises ValueError, KeyError or TypeError where it is not what `save` wrote.

    Version 1 has no checksum; no flipped bit makes a 1 of a 2, nor takes a key away without making another.
    """
    about: dict[str, Any] = json.loads(text)
    version = about["v"]
    if type(version) is not int or version < 1:
        raise ValueError("its schema version is none")
    if version > SCHEMA_VERSION:
        raise ValueError(f"it is of a newer schema, {version}: read it with a newer foldproof")
    if about.keys() != (_KEYS if version == 1 else _KEYS | {"sha256"}):
        raise ValueError("its keys are not those of its schema")
    if version > 1:
        stated = about.pop("sha256")
        if stated != digest(about) or text.encode() != canonical_json({**about, "sha256": stated}):
            raise ValueError("its description of the weights is not what was saved")
    return about


def _checkpoint(about: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> Checkpoint:
    said = about["preprocessing"]
    if ("range" in said) != (about["v"] > 2):
        raise ValueError("its schema does not fit its range of values")
    return Checkpoint(
        weights=weights,
        backbone=_typed(str, about["backbone"]),
        classes=tuple(_typed(str, name) for name in _typed(list, about["classes"])),
        preprocessing=Preprocessing(
            image_size=_typed(int, said["image_size"]),
            resize=_typed(str, said["resize"]),
            mean=_numbers(said["mean"]),
            std=_numbers(said["std"]),
            within=_range(said["range"]) if "range" in said else None,
        ),
        identity=_typed(str, about["identity"]),
        run=_typed(str, about["run"]),
        repeat=_typed(int, about["repeat"]),
        fold=_typed(int, about["fold"]),
        epoch=_typed(int, about["epoch"]),
    )


def _numbers(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in _typed(list, values))
    if not all(map(math.isfinite, numbers)):
        raise ValueError("the preprocessing is not of finite numbers")
    return numbers


def _range(said: Mapping[str, Any]) -> ValueRange:
    low, high = _numbers([said["low"], said["high"]])
    if not low < high or said["bits"] not in (8, 16):
        raise ValueError("its range of values is none")
    return ValueRange(low, high, _typed(int, said["bits"]))


def _typed(kind: type[_T], value: Any) -> _T:
    if type(value) is not kind:
        raise TypeError(f"a value is not of type {kind.__name__}")
    return value


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], about: str) -> Path:
    """Write tensors, made contiguous and brought to the CPU, atomically. Raises StorageError."""
    return write_atomically(path, tensor_bytes(tensors, about))


def tensor_bytes(tensors: Mapping[str, torch.Tensor], about: str) -> bytes:
    """A safetensors file with tensors, made contiguous and brought to the CPU. Not written by that library itself,
    which on a full disk says so in its own words and, killed, leaves files of names of its own.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    content: bytes = save(plain, metadata={_KEY: about})
    return content


def weights_sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over name, dtype, shape and bytes of each tensor, in name order."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        head = f"{name} {str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)} "
        total.update(head.encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
