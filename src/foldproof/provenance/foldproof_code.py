"""Find foldproof's own modules that decide about bits, by walking imports from where the work begins."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import foldproof
from foldproof import registry
from foldproof.provenance.own_code import file_of
from foldproof.provenance.source_code import digest_of, reached

NOT_ARITHMETIC = (  # they keep and tell; a result that they changed would not have its checksum
    "foldproof.errors",
    "foldproof.storage",
    "foldproof.config.schema",  # its values are in every key; its descriptions are for people
)
DECODING = ("foldproof.data.pixels.originals", "foldproof.data.readers")
TRAINING = (
    "foldproof.training.loop",
    "foldproof.training.probe",
    "foldproof.models.torchvision_models",  # these two are imported by name
    "foldproof.models.timm_models",
    *(
        target.partition(":")[0]
        for seam in ("readers", "backbones", "metrics", "augmentations", "class_weights", "optimizers", "schedules")
        for target in registry.SEAMS[seam].values()
    ),
)


def modules(roots: Iterable[str]) -> Mapping[str, Path]:
    """The modules that the modules `roots` reach and that can change a number, by name."""
    found = reached(roots, _file)
    return {name: file for name, file in found.items() if not _is_below(name, NOT_ARITHMETIC)}


@lru_cache(maxsize=8)
def code_digest(roots: tuple[str, ...] = TRAINING) -> str:
    """Of what these modules do, comments and docstrings apart: 64 hexadecimal characters."""
    return digest_of(modules(roots).values())


def _file(name: str) -> Path | None:
    is_ours = _is_below(name, ("foldproof",))
    return file_of(name, [Path(foldproof.__file__).parents[1]]) if is_ours else None


def _is_below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
