"""Runs as somebody's scripts logged them in; which of them are folds of which experiment, and their scores, out. Pure.

Known habits: nested runs below a parent, runs side by side, and one run with a metric, or a step of a metric, a fold.
Whatever was taken for something is said in `taken`.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from foldproof.record import Place
from foldproof.trackers.mlflow.measures import MEASURES, Measured, bare_name, fold_in, is_vague, measured, number_all

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
_SEPARATORS = " _.#/:=-"
_OF_HOW_MANY = re.compile(r"[\s_-]*(?:/|of)[\s_-]*\d+")
_LONG_NUMBERS = re.compile(r"[ _.#/:=-]*(?<![A-Za-z0-9])\d[\d_.:T-]{3,}(?!\w)[ _.#/:=-]*")
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


@dataclass(frozen=True, kw_only=True)
class Family:
    """The folds of one experiment. `scores`: by metric, then place; `how` they were told apart."""

    id: str  # of the run that stands for it
    name: str
    params: Mapping[str, str]
    scores: Mapping[str, Mapping[Place, float]]
    images: Mapping[Place, int]
    how: str
    again: int = 0  # folds that were logged more than once


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A metric of a family that was taken for its score."""

    family: Family
    metric: str
    measured: Measured

    @property
    def by_place(self) -> Mapping[Place, float]:
        return self.family.scores[self.metric]


@dataclass(frozen=True)
class _Places:
    """Of the runs that are folds: which; `key`: the param or tag that says so, `how` in words.

    `sure`: by a word that says fold.
    """

    by_run: Mapping[str, Place]
    key: str
    how: str
    sure: bool = False

    def others(self, run: RunSeen) -> dict[str, str]:
        """The params that are about the experiment."""
        folds = (self.key, *_KEYS, *_REPEATS)
        return {name: text for name, text in run.params.items() if not any(_is_called(name, key) for key in folds)}


def _is_called(name: str, key: str) -> bool:
    """Whether a param, whatever its case and the group that it stands in, is `key`."""
    return key.replace("_", "") == re.sub(r"[^a-z0-9]", "", re.split(r"[./:]", name.lower())[-1])


def families(runs: Sequence[RunSeen]) -> list[Family]:
    """All experiments whose folds can be told apart; `runs` are the oldest first."""
    by_id = {run.id: run for run in runs}
    children: dict[str, list[RunSeen]] = {}
    for run in runs:
        if run.parent in by_id:
            children.setdefault(run.parent, []).append(run)
    nested = [family for parent, some in children.items() if (family := _nested(by_id[parent], some)) is not None]
    alone = [run for run in runs if run.id not in children and run.parent not in by_id]
    single = [family for run in alone if (family := _single(run)) is not None]
    flat = [run for run in alone if _single(run) is None and run.finished and any(map(measured, run.metrics))]
    by_experiment: dict[str, list[RunSeen]] = {}
    for run in flat:
        by_experiment.setdefault(run.experiment, []).append(run)
    return [*nested, *single, *(family for some in by_experiment.values() for family in _flat(some))]


def taken(found: Sequence[Family], wanted: str | None = None) -> list[Taken]:
    """A metric a family, all of one measure: `wanted`, by its own name or as a measure, else what most of them log."""
    offered = [
        Taken(family=family, metric=metric, measured=known)
        for family in found
        for metric in family.scores
        if (known := measured(metric)) is not None and wanted in (None, metric, known.measure)
    ]
    if not offered:
        return []
    families_of = Counter(measure for measure, _ in {(one.measured.measure, id(one.family)) for one in offered})
    plain = {one.measured.measure for one in offered if not one.measured.optimistic}
    chosen = min(families_of, key=lambda one: (one not in plain, -families_of[one], list(MEASURES).index(one)))
    best: dict[int, Taken] = {}
    for one in offered:
        if one.measured.measure == chosen:
            before = best.get(id(one.family))
            if before is None or (one.measured.rank, one.metric) < (before.measured.rank, before.metric):
                best[id(one.family)] = one
    return list(best.values())


def _nested(parent: RunSeen, children: Sequence[RunSeen]) -> Family | None:
    """None where the nested runs are no folds: trials of a search are nested, too. One that trains at last on all
    images is left out, and named.
    """
    places = _told_apart(children)
    folds = [run for run in children if run.id in places.by_run]
    others = [run.name for run in children if run.id not in places.by_run]
    finished = [run for run in folds if run.finished]
    if not finished or (others and not (places.sure and len(others) < len(folds))):
        return None
    params = parent.params or places.others(folds[0])
    how = f"nested runs by {places.how}" + (f" (none: {', '.join(others[:3])})" if others else "")
    return _family(parent.id, parent.name, params, finished, places.by_run, how)


def _single(run: RunSeen) -> Family | None:
    scores: dict[str, dict[Place, float]] = {}
    vague: dict[str, bool] = {}
    for name, value in run.metrics.items():
        known = measured(name)
        if known is not None and known.fold is not None:
            scores.setdefault(bare_name(name), {})[0, known.fold] = value
            vague[bare_name(name)] = known.vague
    scores = {
        name: folds
        for name, folds in scores.items()
        if len(folds) > 1 and (not vague[name] or number_all(fold for _, fold in folds))
    }
    how = "the numbers in names of metrics"
    if not scores:
        scores = {
            name: {(0, step): one for step, one in some.items()} for name, some in run.steps.items() if len(some) > 1
        }
        how = f"the steps of {', '.join(scores)}"
    if not scores:
        return None
    return Family(id=run.id, name=run.name, params=run.params, scores=scores, images={}, how=how)


def _flat(runs: Sequence[RunSeen]) -> Iterator[Family]:
    """Runs side by side: those of one name but for the fold, else of the same params, else all of an experiment, if
    each fold comes once.
    """
    places = _told_apart(runs)
    folds = [run for run in runs if run.id in places.by_run]
    if len(set(places.by_run.values())) < 2:
        return
    once = len(folds) == len(set(places.by_run.values()))
    last: Callable[[RunSeen], str] = (lambda run: run.experiment) if once else partial(_unnumbered_name, places)
    for named in (_base_name, _undated_name, *_by_params(folds, places), last):
        groups = _grouped(folds, named)
        if _have_folds(groups, places):
            break
    else:  # folds of several experiments, and nothing says which
        return
    for name, some in groups.items():
        for full, each in _without_doubles(name, some, places).items():
            how = f"runs side by side by {places.how}"
            yield _family(each[0].id, full, places.others(each[0]), each, places.by_run, how)


def _grouped(runs: Sequence[RunSeen], named: Callable[[RunSeen], str]) -> dict[str, list[RunSeen]]:
    groups: dict[str, list[RunSeen]] = {}
    for run in runs:
        groups.setdefault(named(run) or run.experiment, []).append(run)
    return groups


def _without_doubles(name: str, runs: Sequence[RunSeen], places: _Places) -> Mapping[str, Sequence[RunSeen]]:
    """Where folds come twice, by the params that differ, if each fold then comes once; else as they are."""
    if len({places.by_run[run.id] for run in runs}) == len(runs):
        return {name: runs}
    for named in _by_params(runs, places):
        finer = _grouped(runs, named)
        if len(finer) > 1 and _have_folds(finer, places):
            return {f"{name} ({differing})": some for differing, some in finer.items()}
    return {name: runs}


def _have_folds(groups: Mapping[str, Sequence[RunSeen]], places: _Places) -> bool:
    """Whether most runs share their group with another fold; one that stands alone is an experiment that has begun."""
    several = [some for some in groups.values() if len({places.by_run[run.id] for run in some}) > 1]
    return 2 * sum(map(len, several)) > sum(map(len, groups.values()))


def _by_params(runs: Sequence[RunSeen], places: _Places) -> Iterator[Callable[[RunSeen], str]]:
    """Names by all params that differ; then without those that go with the fold, as a seed, or with the run, as a
    folder of results.
    """
    keys = dict.fromkeys(key for one in runs for key in places.others(one))
    different = [key for key in keys if len({one.params.get(key) for one in runs}) > 1]
    steady = [key for key in different if _says_more_than_the_fold(key, runs, places)]
    yield from (partial(_spelled, some) for some in (different, steady) if some)


def _says_more_than_the_fold(key: str, runs: Sequence[RunSeen], places: _Places) -> bool:
    by_place = {(places.by_run[run.id], run.params.get(key)) for run in runs}
    values = {run.params.get(key) for run in runs}
    return len(by_place) > len(set(places.by_run.values())) and len(values) < len(runs)


def _spelled(keys: Sequence[str], run: RunSeen) -> str:
    return ", ".join(f"{key}={run.params.get(key, '')}" for key in keys)


def _base_name(run: RunSeen) -> str:
    match = fold_in(run.name)
    if match is None:
        return run.name
    after = run.name[match.end(2) :]
    total = _OF_HOW_MANY.match(after)
    left = after[total.end() :] if total else after
    return f"{run.name[: match.start()]} {left.lstrip(_SEPARATORS)}".strip(_SEPARATORS)


def _unnumbered_name(places: _Places, run: RunSeen) -> str:
    """Without the number of the fold at its end: `resnet_f3` of the run with the param fold=3."""
    fold = places.by_run[run.id][1]
    return re.sub(rf"[ _.#/:=-]+[a-z]{{0,5}}0*{fold}$", "", run.name, flags=re.IGNORECASE)


def _undated_name(run: RunSeen) -> str:
    """Without dates, times and other long numbers, which go with the run."""
    return _LONG_NUMBERS.sub(" ", _base_name(run)).strip(_SEPARATORS)


def _told_apart(runs: Sequence[RunSeen]) -> _Places:
    """By a param or tag, else by the number in a run's name."""
    for key in (*_KEYS, *_VAGUE_KEYS):
        numbers = {run.id: number for run in runs if (number := run.number([key])) is not None}
        if len(set(numbers.values())) > 1 and _number_folds(key, numbers.values(), of=len(runs)):
            return _Places(_places(runs, numbers), key, f"'{key}'", sure=key in _KEYS)
    found = {run.id: match for run in runs if (match := fold_in(run.name))}
    numbers = {run: int(match[2]) for run, match in found.items()}
    sure = not all(map(is_vague, found.values()))
    if not sure and not number_all(numbers.values()):
        numbers = {}
    one = {run.id: number for run in runs if (number := run.number(_ONE_ALONE)) is not None}
    if one and len(set(numbers.values())) < 2:
        return _Places(_places(runs, one), "", "'fold'", sure=True)
    if not found:
        numbers = {run.id: int(match[1]) for run in runs if (match := _ONLY_A_NUMBER.fullmatch(run.name))}
    return _Places(_places(runs, numbers), "", "the number in their names", sure=sure)


def _number_folds(key: str, numbers: Collection[int], *, of: int) -> bool:
    if key in _VAGUE_KEYS:
        return len(numbers) == of and number_all(numbers)
    return key not in _COUNTS_TOO or min(numbers) in (0, 1)


def _places(runs: Sequence[RunSeen], numbers: Mapping[str, int]) -> dict[str, Place]:
    return {run.id: (run.number(_REPEATS) or 0, numbers[run.id]) for run in runs if run.id in numbers}


def _family(
    first: str, name: str, params: Mapping[str, str], runs: Sequence[RunSeen], places: Mapping[str, Place], how: str
) -> Family:
    newest = {places[run.id]: run for run in runs}
    metrics = Counter(metric for run in newest.values() for metric in run.metrics if measured(metric) is not None)
    scores = {
        metric: {place: run.metrics[metric] for place, run in sorted(newest.items()) if metric in run.metrics}
        for metric, times in metrics.items()
        if 2 * times > len(newest)
    }
    images = {place: int(count) for place, run in newest.items() if (count := _images(run))}
    again = len(runs) - len(newest)
    return Family(id=first, name=name, params=params, scores=scores, images=images, how=how, again=again)


def _images(run: RunSeen) -> str:
    count = run.params.get("validation_images", "")
    return count if count.isdecimal() and int(count[:12]) > 0 and len(count) < 12 else ""
