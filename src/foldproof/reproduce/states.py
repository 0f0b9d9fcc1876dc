"""Stored states of two trainings of a fold in; where both have one, whether all its bits agree, out.

A state holds weights, optimiser and all losses, so that one that agrees says: until here nothing has parted.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.record import Place, fold_folder
from foldproof.storage import read_json_inside

_NAME = re.compile(r"state-([0-9]{6})-([0-9]{8})\.json")
_MOST_BYTES = 2**29


def said_by_states(then: Path, now: Path, place: Place) -> tuple[str, ...]:
    """A sentence for each state that the run folders `then` and `now` both have of a fold, in order of training."""
    old, new = (_content(folder, place) for folder in (then, now))
    return tuple(
        f"the states stored {_where(name)} " + ("agree in all bits" if old[name] == new[name] else "differ already")
        for name in sorted(old.keys() & new.keys())
    )


def state_before(folder: Path, place: Place, epoch: int) -> Path | None:
    """The newest stored state of a fold from which epoch `epoch` can be trained whole; None where there is none."""
    found = []
    for path in (folder / fold_folder(Path(), *place)).glob("state-*.json"):
        match = _NAME.fullmatch(path.name)
        if match and (int(match[1]), int(match[2])) <= (epoch, 0) and (int(match[1]), int(match[2])) > (1, 0):
            found.append(path)
    return max(found, key=lambda path: path.name, default=None)


def last_before_the_end(folder: Path, place: Place, epochs: int) -> Path | None:
    """The newest stored state of a fold that some training follows; None where there is none."""
    found = []
    for path in (folder / fold_folder(Path(), *place)).glob("state-*.json"):
        match = _NAME.fullmatch(path.name)
        if match and int(match[1]) <= epochs:
            found.append(path)
    return max(found, key=lambda path: path.name, default=None)


def _content(folder: Path, place: Place) -> Mapping[str, str]:
    found = {}
    within = fold_folder(Path(), *place)
    for path in (folder / within).glob("state-*.json"):
        if _NAME.fullmatch(path.name):
            with suppress(DamagedFile, KeyError, FileNotFoundError):
                about = read_json_inside(folder, (within / path.name).as_posix(), most_bytes=_MOST_BYTES)
                found[path.name] = str(about["file_sha256"])
    return found


def _where(name: str) -> str:
    match = _NAME.fullmatch(name)
    assert match is not None
    epoch, step = int(match[1]), int(match[2])
    return f"before epoch {epoch}" if step == 0 else f"after step {step} of epoch {epoch}"
