"""Labels of images by path in; at most so many of them, evenly over the classes, out. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping


def evenly(labels: Mapping[str, str], most: int) -> list[str]:
    """At most `most` of the paths in `labels`, the same number of each class where it has so many; all where they fit.

    Which ones follows from a hash of each path alone, so that a folder that grows keeps nearly all of its choice.
    """
    if len(labels) <= most:
        return list(labels)
    of_class: defaultdict[str, list[str]] = defaultdict(list)
    for path, label in labels.items():
        of_class[label].append(path)
    share = shares({name: len(some) for name, some in of_class.items()}, most)
    return sorted(path for name, some in of_class.items() for path in sorted(some, key=_lot)[: share[name]])


def shares(counts: Mapping[str, int], most: int) -> dict[str, int]:
    """How many of each class to take: what small classes leave over goes to the others."""
    left, found = most, {}
    smallest_first = sorted(counts, key=lambda name: (counts[name], name))
    for place, name in enumerate(smallest_first):
        found[name] = min(counts[name], left // (len(counts) - place))
        left -= found[name]
    return found


def _lot(path: str) -> bytes:
    return hashlib.blake2b(path.encode(), digest_size=16).digest()
