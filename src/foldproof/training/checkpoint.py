"""`Checkpoint`: weights, classes and preprocessing, usable alone; a safetensors file written atomically.

The header of a safetensors file with several metadata keys is in random order, so there is one key, which holds sorted
JSON; and what is compared is `weights_sha256` over the tensors, never a hash of the file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from foldproof.config.identity import canonical_json
from foldproof.errors import DamagedFile
from foldproof.storage import write_atomically

SCHEMA_VERSION = 1
_KEY = "foldproof"


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How an image file becomes the model's input: resized to `image_size`, divided by 255, less `mean`, over `std`."""

    image_size: int
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


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
            "v": SCHEMA_VERSION,
            "backbone": self.backbone,
            "classes": self.classes,
            "preprocessing": asdict(self.preprocessing),
            "identity": self.identity,
            "run": self.run,
            "repeat": self.repeat,
            "fold": self.fold,
            "epoch": self.epoch,
            "weights_sha256": weights_sha256(self.weights),
        }
        return save_tensors(path, self.weights, canonical_json(about).decode())

    @staticmethod
    def load(path: Path) -> "Checkpoint":
        """Read a file that `save` wrote. Raises DamagedFile where it does not check."""
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads(file.metadata()[_KEY])
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            checkpoint = Checkpoint(
                weights=weights,
                backbone=about["backbone"],
                classes=tuple(about["classes"]),
                preprocessing=Preprocessing(
                    image_size=about["preprocessing"]["image_size"],
                    resize=about["preprocessing"]["resize"],
                    mean=tuple(about["preprocessing"]["mean"]),
                    std=tuple(about["preprocessing"]["std"]),
                ),
                identity=about["identity"],
                run=about["run"],
                repeat=about["repeat"],
                fold=about["fold"],
                epoch=about["epoch"],
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise DamagedFile(f"{path} is not a checkpoint: {error}", next_step="train the fold again") from error
        if weights_sha256(weights) != about["weights_sha256"]:
            raise DamagedFile(f"{path}: the weights are not those that were saved", next_step="train the fold again")
        return checkpoint


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
