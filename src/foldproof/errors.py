"""Every error raised on purpose: one tree; each says what is wrong and the next step.

FoldproofError                 the user can fix it: printed without a traceback, exit 2
├── SettingsError              the settings file or a --set says something that cannot be
├── UnknownName                a name that no table, plugin or dotted path knows
├── ProjectError               no project here, or one that is not in order
├── DataError                  images that are missing, unreadable or not what was versioned
│   └── BadImage               one file that holds no picture that can be trained on; its `code` says why
├── FoldsError                 folds that cannot be cut, or do not fit the data
├── ModelError                 a backbone that cannot be built as asked
├── TrainingError              a fold that cannot be trained any further with these settings
├── NeedsNetwork               something has to be downloaded and there is no network
├── RunNotFound                no run, or more than one, by that name
├── StorageError               a file cannot be written or is held by another process
│   └── NoRoom                 the disk or a limit does not hold what would only save time
├── TrackingError              the tracking server or its store cannot be used
├── UntrustedCode              a record from elsewhere would run code, and nobody has said that it may
└── DamagedFile                a file of ours whose bytes are not what was written
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Literal, TypeAlias

FailureCode: TypeAlias = Literal["", "diverged"]  # meanings: events.codes


class FoldproofError(Exception):
    """What is wrong, and the next step: at most three lines together."""

    def __init__(self, what: str, *, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\n  {self.next_step}" if self.next_step else self.what

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.next_step)


def _rebuild(kind: type[FoldproofError], what: str, next_step: str) -> FoldproofError:
    return kind(what, next_step=next_step)


class SettingsError(FoldproofError):
    """The settings file or a --set says something that cannot be."""


class UnknownName(FoldproofError):
    """A name that no table, plugin or dotted path knows."""


class ProjectError(FoldproofError):
    """No project here, or one that is not in order."""


class DataError(FoldproofError):
    """Images that are missing, unreadable or not what was versioned."""


class OtherTask(DataError):
    """Labels or a layout for something other than one class an image."""


class UnclearTable(DataError):
    """A table names the images, and does not say in one way what they are."""


class TablesOfParts(UnclearTable):
    """Several tables label a part of the images each."""


class BadImage(DataError):
    """One file that holds no picture that can be trained on. `code` is the finding's (see `data.findings`)."""

    def __init__(self, what: str, *, code: str, next_step: str = "") -> None:
        super().__init__(what, next_step=next_step)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return partial(BadImage, self.what, code=self.code, next_step=self.next_step), ()


class FoldsError(FoldproofError):
    """Folds that cannot be cut, or do not fit the data."""


class ModelError(FoldproofError):
    """A backbone that cannot be built as asked."""


class TrainingError(FoldproofError):
    """A fold that cannot be trained any further with these settings. `code`: why, as its journal records it."""

    def __init__(self, what: str, *, code: FailureCode = "", next_step: str = "") -> None:
        super().__init__(what, next_step=next_step)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return partial(TrainingError, self.what, code=self.code, next_step=self.next_step), ()


class NeedsNetwork(FoldproofError):
    """Something has to be downloaded and there is no network."""


class RunNotFound(FoldproofError):
    """No run, or more than one, by that name."""


class StorageError(FoldproofError):
    """A file cannot be written or is held by another process."""


class NoRoom(StorageError):
    """The disk or a limit does not hold what would only save time: there is a slower way without it."""


class TrackingError(FoldproofError):
    """The tracking server or its store cannot be used."""


class UntrustedCode(FoldproofError):
    """A record from elsewhere would run code, and nobody has said that it may."""


class DamagedFile(FoldproofError):
    """A file of ours whose bytes are not what was written."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` where one of `known` is close to `name`, else the empty string."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""
