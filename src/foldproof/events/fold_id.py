"""Name one fold of a run: as a value, in words, as people type it, and as the folder it writes to. Pure."""

import re
from pathlib import Path
from typing import NamedTuple

_SHORT = re.compile(r"(?:([0-9]{1,3})\.)?([0-9]{1,3})")
_FOLDER = re.compile(r"fold-(0|[1-9][0-9]{0,2})-(0|[1-9][0-9]{0,2})")  # one spelling: a fold has one folder


class FoldId(NamedTuple):
    """One fold of a run; repeats and folds count from 0. Sorts by repeat, then by fold."""

    repeat: int
    fold: int

    def __str__(self) -> str:
        """`fold 3`, or `fold 1.3` in the repeats after the first."""
        return f"fold {self.short(repeats=1 + self.repeat)}"

    def short(self, *, repeats: int) -> str:
        """`3`, or `1.3` in a run of several repeats: as `--fold` takes it."""
        return f"{self.repeat}.{self.fold}" if repeats > 1 else f"{self.fold}"

    @property
    def folder_name(self) -> str:
        """`fold-1-3`, below the run's folder."""
        return f"fold-{self.repeat}-{self.fold}"

    def folder(self, run: Path) -> Path:
        """Where this fold of the run in the folder `run` writes."""
        return run / self.folder_name

    @staticmethod
    def of_short(text: str) -> "FoldId | None":
        """The fold that `short` spells; without a repeat, of the first. None where it names none."""
        match = _SHORT.fullmatch(text)
        return FoldId(int(match[1] or 0), int(match[2])) if match else None

    @staticmethod
    def of_folder(name: str) -> "FoldId | None":
        """The fold whose folder has this name; None where it is no fold's."""
        match = _FOLDER.fullmatch(name)
        return FoldId(int(match[1]), int(match[2])) if match else None
