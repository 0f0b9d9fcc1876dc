"""Count how many original pictures an annotation service's copies come from, by their names. Pure.

`IMG_1_jpg.rf.0f3a….jpg` and `IMG_1_jpg.rf.77c2….jpg` are one picture, turned, cut or encoded again.
"""

import re
from collections.abc import Sequence

COPIES = r"([^/]+)_(?:jpe?g|png|bmp|webp|tiff?)\.rf\.[0-9A-Za-z]+\.[^/]+$"  # for data.group_by


def copies_of(paths: Sequence[str]) -> int:
    """The number of pictures where every name says of which it is a copy, and some are of one; else 0."""
    found = [re.search(COPIES, path) for path in paths]
    names = {match[1] for match in found if match}
    return len(names) if found and all(found) and len(names) < len(paths) else 0
