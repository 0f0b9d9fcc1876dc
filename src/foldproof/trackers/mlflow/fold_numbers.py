"""Tell which fold each run is that someone's scripts logged, and by what. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from foldproof.events.fold_id import FoldId
from foldproof.trackers.mlflow.measures import fold_in, is_vague, number_all

_KEYS = (
    "fold",
    "fold_idx",
    "fold_id",
    "fold_index",
    "fold_number",
    "fold_num",
    "fold_no",
    "fold_nr",
    "current_fold",
    "cv_fold",
    "val_fold",
    "test_fold",
    "kfold",
    "k_fold",
)
_COUNTS_TOO = ("kfold", "k_fold")  # mostly how many folds there are, unless they begin with 0 or 1
_ONE_ALONE = tuple(key for key in _KEYS if key not in _COUNTS_TOO)
_VAGUE_KEYS = ("split", "cv", "k")  # names of other things, too: they count where they number all the runs
_REPEATS = ("repeat", "rep", "repetition")
_NUMBER = re.compile(r"\s*[^\d.-]*?(\d{1,3})(?:\.0*)?\s*(?:(?:/|of)\s*\d+\s*)?")
_ONLY_A_NUMBER = re.compile(r"\s*(\d{1,3})\s*")


@dataclass(frozen=True, kw_only=True)
class RunSeen:
    """A run of somebody's. `metrics`: the last value of each; `steps`: all values of those whose steps may be folds."""

    id: str
    name: str
    experiment: str
    parent: str = ""
    finished: bool = True
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    def number(self, keys: Sequence[str]) -> int | None:
        """The number under the first of `keys` that is a param or a tag, as it is spelled or as `data.Fold-Idx`."""
        for key in keys:
            for kept in (self.params, self.tags):
                text = next((text for name, text in kept.items() if _is_called(name, key)), None)
                match = _NUMBER.fullmatch(text) if text is not None else None
                if match is not None:
                    return int(match[1])
        return None


@dataclass(frozen=True)
class Places:
    """Of the runs that are folds: which; `key`: the param or tag that says so, `how` in words.

    `sure`: by a word that says fold.
    """

    by_run: Mapping[str, FoldId]
    key: str
    how: str
    sure: bool = False

    def others(self, run: RunSeen) -> dict[str, str]:
        """The params that are about the experiment."""
        folds = {_bare(key) for key in (self.key, *_KEYS, *_REPEATS)}
        return {name: text for name, text in run.params.items() if _bare(name) not in folds}


def told_apart(runs: Sequence[RunSeen]) -> Places:
    """By a param or tag, else by the number in a run's name."""
    for key in (*_KEYS, *_VAGUE_KEYS):
        numbers = {run.id: number for run in runs if (number := run.number([key])) is not None}
        if len(set(numbers.values())) > 1 and _number_folds(key, numbers.values(), of=len(runs)):
            return Places(_placed(runs, numbers), key, f"'{key}'", sure=key in _KEYS)
    found = {run.id: match for run in runs if (match := fold_in(run.name))}
    numbers = {run: int(match[2]) for run, match in found.items()}
    sure = not all(map(is_vague, found.values()))
    if not sure and not number_all(numbers.values()):
        numbers = {}
    one = {run.id: number for run in runs if (number := run.number(_ONE_ALONE)) is not None}
    if one and len(set(numbers.values())) < 2:
        return Places(_placed(runs, one), "", "'fold'", sure=True)
    if not found:
        numbers = {run.id: int(match[1]) for run in runs if (match := _ONLY_A_NUMBER.fullmatch(run.name))}
    return Places(_placed(runs, numbers), "", "the number in their names", sure=sure)


def _number_folds(key: str, numbers: Collection[int], *, of: int) -> bool:
    if key in _VAGUE_KEYS:
        return len(numbers) == of and number_all(numbers)
    return key not in _COUNTS_TOO or min(numbers) in (0, 1)


def _placed(runs: Sequence[RunSeen], numbers: Mapping[str, int]) -> dict[str, FoldId]:
    return {run.id: FoldId(run.number(_REPEATS) or 0, numbers[run.id]) for run in runs if run.id in numbers}


def _is_called(name: str, key: str) -> bool:
    """Whether a param, whatever its case and the group that it stands in, is `key`."""
    return _bare(name) == _bare(key)


@lru_cache(maxsize=100_000)
def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.split(r"[./:]", name.lower())[-1])
