"""Compare the stored states of two trainings of a fold.

A state holds weights, optimiser and all losses, so that one that agrees says: until here nothing has parted.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.storage import FileName, RelativePath, copy_inside, is_folder_here, read_json_inside, regular_inside

MOST_BYTES = 2**27  # of the description of a state: a line an epoch
_NAME = re.compile(r"state-([0-9]{6})-([0-9]{8})\.json")
_TENSORS = re.compile(r"state-[0-9]{6}-[0-9]{8}-[0-9a-f]{1,64}\.safetensors")


@dataclass(frozen=True)
class Stored:
    """A state that a run's folder holds of a fold: inside epoch `epoch` (from 1), after `step` steps of it."""

    run_folder: Path
    fold: RelativePath
    name: FileName
    epoch: int
    step: int

    @property
    def relative(self) -> RelativePath:
        return RelativePath.parse(f"{self.fold}/{self.name}")

    def description(self) -> dict[str, Any]:
        """What its JSON file says. Raises DamagedFile, FileNotFoundError."""
        return read_json_inside(self.run_folder, self.relative, most_bytes=MOST_BYTES)

    def checked(self) -> Path:
        """Its JSON file, where that is a plain one through no link. Raises DamagedFile, FileNotFoundError."""
        return regular_inside(self.run_folder, self.relative, most_bytes=MOST_BYTES)

    def copy_to(self, folder: Path) -> None:
        """Copy both of its files. Raises DamagedFile where they are not as a training writes them."""
        tensors = self.description().get("file")
        if not isinstance(tensors, str) or _TENSORS.fullmatch(tensors) is None:
            raise DamagedFile(f"{self.name} names no file of a state", next_step="train without --from-epoch")
        for name, most in ((self.name, MOST_BYTES), (FileName.parse(tensors), psutil.virtual_memory().available)):
            copy_inside(self.run_folder, f"{self.fold}/{name}", folder, RelativePath.parse(name), most_bytes=most)


def stored(folder: Path, fold_id: FoldId) -> Iterator[Stored]:
    """The states of a fold that the run in `folder` holds, oldest first.

    Raises DamagedFile where the fold's folder is a link.
    """
    fold = RelativePath.parse(fold_id.folder_name)
    with suppress(FileNotFoundError):
        if is_folder_here(fold.below(folder)):
            for path in sorted(fold.below(folder).glob("state-*.json")):
                if match := _NAME.fullmatch(path.name):
                    yield Stored(folder, fold, FileName.parse(path.name), int(match[1]), int(match[2]))


def said_by_states(then: Path, now: Path, fold_id: FoldId) -> tuple[str, ...]:
    """A sentence for each state that the run folders `then` and `now` both have of a fold, in order of training."""
    old, new = (_content(folder, fold_id) for folder in (then, now))
    return tuple(
        f"the states stored {_where(state)} " + ("agree in all bits" if old[state] == new[state] else "differ already")
        for state in sorted(old.keys() & new.keys())
    )


def state_before(folder: Path, fold_id: FoldId, epoch: int) -> Stored | None:
    """The newest stored state of a fold from which epoch `epoch` can be trained whole; None where there is none."""
    found = [state for state in stored(folder, fold_id) if (1, 0) < (state.epoch, state.step) <= (epoch, 0)]
    return found[-1] if found else None


def last_before_the_end(folder: Path, fold_id: FoldId, epochs: int) -> Stored | None:
    """The newest stored state of a fold that some training follows; None where there is none."""
    found = [state for state in stored(folder, fold_id) if state.epoch <= epochs]
    return found[-1] if found else None


def _content(folder: Path, fold_id: FoldId) -> Mapping[tuple[int, int], str]:
    found = {}
    with suppress(DamagedFile):
        for state in stored(folder, fold_id):
            with suppress(DamagedFile, KeyError, FileNotFoundError):
                found[state.epoch, state.step] = str(state.description()["file_sha256"])
    return found


def _where(state: tuple[int, int]) -> str:
    epoch, step = state
    return f"before epoch {epoch}" if step == 0 else f"after step {step} of epoch {epoch}"
