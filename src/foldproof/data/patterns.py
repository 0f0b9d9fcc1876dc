"""Match paths against the patterns of data.exclude. Pure.

A pattern without a slash is compared with every folder and file on the way: `masks`, `*_mask.png`. One with a slash is
compared with the path from the folder of images on, and takes all that is below what it matches: `train/old`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate


def left_out(paths: Sequence[str], patterns: Sequence[str]) -> Mapping[str, str]:
    """The first pattern that matches, by path; paths that none matches are not in it."""
    matching = [(pattern, _matches(pattern)) for pattern in patterns]
    found: dict[str, str] = {}
    for path in paths:
        pattern = next((pattern for pattern, matches in matching if matches(path)), None)
        if pattern is not None:
            found[path] = pattern
    return found


def _matches(pattern: str) -> Callable[[str], bool]:
    plain = pattern.removeprefix("./").removesuffix("/")
    anywhere = plain.removeprefix("**/")
    if "/" not in anywhere:
        name = re.compile(translate(anywhere))
        return lambda path: any(map(name.match, path.split("/")))
    whole = re.compile(translate(plain.removeprefix("/")))

    def matches(path: str) -> bool:
        steps = path.split("/")
        return any(whole.match("/".join(steps[:depth])) for depth in range(1, len(steps) + 1))

    return matches
