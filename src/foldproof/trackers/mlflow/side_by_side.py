"""Group runs whose folds are known into the experiments they belong to. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from foldproof.trackers.mlflow.fold_numbers import Places, RunSeen
from foldproof.trackers.mlflow.measures import fold_in

_SEPARATORS = " _.#/:=-"
_OF_HOW_MANY = re.compile(r"[\s_-]*(?:/|of)[\s_-]*\d+")
_LONG_NUMBERS = re.compile(r"[ _.#/:=-]*(?<![A-Za-z0-9])\d[\d_.:T-]{3,}(?!\w)[ _.#/:=-]*")


def experiments_of(folds: Sequence[RunSeen], places: Places) -> dict[str, Sequence[RunSeen]]:
    """Those of one name but for the fold, else of the same params, else all of an MLflow experiment, if each fold comes
    once. Empty where there are folds of several experiments, and nothing says which.
    """
    once = len(folds) == len(set(places.by_run.values()))
    last: Callable[[RunSeen], str] = (lambda run: run.experiment) if once else partial(_unnumbered_name, places)
    for named in (_base_name, _undated_name, *_by_params(folds, places), last):
        groups = _grouped(folds, named)
        if _have_folds(groups, places):
            return {
                full: each
                for name, some in groups.items()
                for full, each in _without_doubles(name, some, places).items()
            }
    return {}


def _grouped(runs: Sequence[RunSeen], named: Callable[[RunSeen], str]) -> dict[str, list[RunSeen]]:
    groups: dict[str, list[RunSeen]] = {}
    for run in runs:
        groups.setdefault(named(run) or run.experiment, []).append(run)
    return groups


def _without_doubles(name: str, runs: Sequence[RunSeen], places: Places) -> Mapping[str, Sequence[RunSeen]]:
    """Where folds come twice, by the params that differ, if each fold then comes once; else as they are."""
    if len({places.by_run[run.id] for run in runs}) == len(runs):
        return {name: runs}
    for named in _by_params(runs, places):
        finer = _grouped(runs, named)
        if len(finer) > 1 and _have_folds(finer, places):
            return {f"{name} ({differing})": some for differing, some in finer.items()}
    return {name: runs}


def _have_folds(groups: Mapping[str, Sequence[RunSeen]], places: Places) -> bool:
    """Whether most runs share their group with another fold; one that stands alone is an experiment that has begun."""
    several = [some for some in groups.values() if len({places.by_run[run.id] for run in some}) > 1]
    return 2 * sum(map(len, several)) > sum(map(len, groups.values()))


def _by_params(runs: Sequence[RunSeen], places: Places) -> Iterator[Callable[[RunSeen], str]]:
    """Names by all params that differ; then without those that go with the fold, as a seed, or with the run, as a
    folder of results.
    """
    keys = dict.fromkeys(key for one in runs for key in places.others(one))
    different = [key for key in keys if len({one.params.get(key) for one in runs}) > 1]
    steady = [key for key in different if _says_more_than_the_fold(key, runs, places)]
    yield from (partial(_spelled, some) for some in (different, steady) if some)


def _says_more_than_the_fold(key: str, runs: Sequence[RunSeen], places: Places) -> bool:
    by_fold = {(places.by_run[run.id], run.params.get(key)) for run in runs}
    values = {run.params.get(key) for run in runs}
    return len(by_fold) > len(set(places.by_run.values())) and len(values) < len(runs)


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


def _unnumbered_name(places: Places, run: RunSeen) -> str:
    """Without the number of the fold at its end: `resnet_f3` of the run with the param fold=3."""
    fold = places.by_run[run.id][1]
    return re.sub(rf"[ _.#/:=-]+[a-z]{{0,5}}0*{fold}$", "", run.name, flags=re.IGNORECASE)


def _undated_name(run: RunSeen) -> str:
    """Without dates, times and other long numbers, which go with the run."""
    return _LONG_NUMBERS.sub(" ", _base_name(run)).strip(_SEPARATORS)
