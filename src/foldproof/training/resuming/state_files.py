"""List and prune the files of resume states in folders of folds. Needs no torch."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.events import journal
from foldproof.events.types import FoldFinished

KEPT = 2


def stem(epoch: int, step: int) -> str:
    """The name, but for its end, of the files of a state inside epoch `epoch` (from 1), after `step` steps of it."""
    return f"state-{epoch:06d}-{step:08d}"


def end_state(folder: Path, *, epochs: int) -> Path:
    """Where the description of a fold's state after its last epoch stands, if it is kept."""
    return folder / f"{stem(epochs + 1, 0)}.json"


def descriptions(folder: Path) -> list[Path]:
    """The states of a fold, oldest first."""
    return sorted(folder.glob("state-*.json"))


def prune(folder: Path, *, keep: int) -> None:
    """Remove all but the newest `keep` states, and tensors that no state names."""
    there = descriptions(folder)
    kept = there[-keep:] if keep else []
    for path in there[: len(there) - len(kept)]:
        _remove(path)
    named = {tensors_of(path) for path in kept}
    for path in folder.glob("state-*.safetensors"):
        if path.name not in named:
            _remove(path)


def keep_within(run_folders: Iterable[Path], *, limit_bytes: int) -> None:
    """Remove states of finished folds, those of the oldest runs first, until all states together fit the limit."""
    folders = [folder for run in run_folders for folder in sorted(run.glob("fold-*"))]
    sizes = {folder: _size(folder) for folder in folders}
    excess = sum(sizes.values()) - limit_bytes
    for folder in folders:
        if excess <= 0:
            return
        if sizes[folder] and is_finished(folder):
            prune(folder, keep=0)
            excess -= sizes[folder]


def is_finished(folder: Path) -> bool:
    """Whether a fold's journal says that it has finished."""
    try:
        return any(isinstance(event.body, FoldFinished) for event in journal.read(folder / journal.FILE_NAME))
    except DamagedFile:
        return False


def _remove(path: Path) -> None:
    with suppress(OSError):  # one that stays takes room and nothing else
        path.unlink()


def _size(folder: Path) -> int:
    total = 0
    for path in folder.glob("state-*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def tensors_of(path: Path) -> str:
    """The name of the safetensors file beside a state; empty where its description cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(path.read_bytes())["file"])
    return ""
