"""List the code and files that decide the bits of a fold, with digests for its numeric class.

Beside foldproof's own (`provenance.foldproof_code`): modules of the user's, with all that they import, and the files
that these read. What asks a network or another program cannot be told apart: such a fold stands for no other.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from foldproof import registry
from foldproof.provenance.own_code import OwnCode, loaded_below, own_code
from foldproof.provenance.packages import DECISIVE, OF_DEEP_IMAGES, installed
from foldproof.provenance.source_code import digest_of
from foldproof.training.opened import Read, watched
from foldproof.training.task import ModelRequest

_explained: set[str] = set()  # modules of the user's that some request's imports lead to


@dataclass(frozen=True)
class DecisiveCode:
    """Digests of 64 hexadecimal characters: of the backbone's own code and files, and of all other parts'.

    `packages`: versions of everything installed that decides. `beyond`: something else was asked meanwhile, so that the
    digest is of this moment alone.
    """

    backbone: str
    parts: str
    packages: tuple[str, ...]
    beyond: bool


def decisive_code(request: ModelRequest, *, image_size: int, read: Read) -> DecisiveCode:
    """Of a request whose model has been built; `read`: what was read meanwhile. The other parts are tried here."""
    backbone = _paths([("backbones", request.backbone)])
    others = _paths(request.parts)
    packages = {*DECISIVE, *OF_DEEP_IMAGES}
    if not (backbone or others):
        return DecisiveCode("", "", _versions(packages), beyond=False)
    root = request.plugins or Path.cwd()
    of_backbone, of_others = own_code(backbone, root), own_code(others, root)
    with watched() as tried:
        _try(request.parts, image_size)
    packages |= {*of_backbone.distributions, *of_others.distributions}
    beyond = read.beyond or tried.beyond
    _explained.update(of_backbone.files, of_others.files)
    more = {name: file for name, file in loaded_below(root).items() if name not in _explained}
    return DecisiveCode(
        backbone=_digest(of_backbone, more, read) if backbone else "",
        parts=_digest(of_others, more, tried) + (secrets.token_hex(8) if beyond else ""),
        packages=_versions(packages),
        beyond=beyond,
    )


def _paths(parts: Iterable[tuple[str, str]]) -> list[str]:
    """The dotted paths of those parts that are not foldproof's own."""
    targets = (registry.target(seam, name) for seam, name in parts)
    return [target for target in targets if target is not None and not target.startswith("foldproof.")]


def _digest(code: OwnCode, more: Mapping[str, Path], read: Read) -> str:
    total = hashlib.sha256(digest_of(code.files.values()).encode())
    total.update(digest_of(more[name] for name in sorted(more)).encode())
    for content in sorted(_content(file) for file in read.files):
        total.update(content)
    return total.hexdigest()


def _content(file: Path) -> bytes:
    with suppress(OSError), file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
    return b""


def _versions(names: set[str]) -> tuple[str, ...]:
    known = _installed()
    return tuple(f"{name} {known[name]}" for name in sorted(names) if name in known and name != "torch")


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, str]:
    return installed()


def _try(parts: tuple[tuple[str, str], ...], image_size: int) -> None:
    """Load and call each part once, so that what it reads is seen. What fails here fails, and is said, in training."""
    images = np.zeros((2, image_size, image_size, 3), dtype=np.uint8)
    for seam, name in parts:
        with suppress(Exception):
            part = registry.load(seam, name)
            match seam:
                case "augmentations":
                    part(images, np.arange(2, dtype=np.uint64))
                case "class_weights":
                    part(np.array([0, 1, 1], dtype=np.int64), 2)
                case "schedules":
                    part(0, 2)
                case _:
                    pass
