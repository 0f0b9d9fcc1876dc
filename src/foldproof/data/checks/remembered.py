"""Cache the result of a computation in a file, keyed by everything it depends on.

For results that are plain JSON values, take seconds and can be had again: a file that is damaged is made again.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from foldproof.errors import StorageError
from foldproof.storage import write_atomically


def remembered(folder: Path | None, name: str, *, key: str, compute: Callable[[], Any]) -> Any:
    """What `compute` returns, kept in `folder`/`name`.json for the newest `key`; nothing is kept without a folder."""
    if folder is None:
        return compute()
    file = folder / f"{name}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(file.read_bytes())
        if stored["key"] == key:
            return stored["value"]
    value = compute()
    with suppress(OSError, StorageError):  # what cannot be kept is computed again
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps({"key": key, "value": value}, allow_nan=False))
    return value
