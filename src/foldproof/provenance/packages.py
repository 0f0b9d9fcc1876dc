"""What is installed: nothing in, distribution names and versions out."""

import re
from importlib.metadata import distributions


def installed() -> dict[str, str]:
    """Every distribution that Python finds, by normalised name, sorted; of two with one name the one found first."""
    found: dict[str, str] = {}
    for distribution in distributions():
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
        if name and version:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return dict(sorted(found.items()))
