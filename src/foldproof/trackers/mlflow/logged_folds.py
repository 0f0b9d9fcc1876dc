"""Group runs that someone's scripts logged into experiments with folds and scores. Pure.

Known habits: nested runs below a parent, runs side by side, and one run with a metric, or a step of a metric, a fold.
Whatever was taken for something is said in `taken`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from foldproof.events.fold_id import FoldId
from foldproof.trackers.mlflow.fold_numbers import RunSeen, told_apart
from foldproof.trackers.mlflow.measures import MEASURES, MetricName, bare_name, measured, number_all
from foldproof.trackers.mlflow.side_by_side import experiments_of


@dataclass(frozen=True, kw_only=True)
class Family:
    """The folds of one experiment. `scores`: by metric, then place; `how` they were told apart."""

    id: str  # of the run that stands for it
    name: str
    params: Mapping[str, str]
    scores: Mapping[str, Mapping[FoldId, float]]
    images: Mapping[FoldId, int]
    how: str
    again: int = 0  # folds that were logged more than once


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A metric of a family that was taken for its score."""

    family: Family
    metric: str
    measured: MetricName

    @property
    def by_fold(self) -> Mapping[FoldId, float]:
        return self.family.scores[self.metric]


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
    places = told_apart(children)
    folds = [run for run in children if run.id in places.by_run]
    others = [run.name for run in children if run.id not in places.by_run]
    finished = [run for run in folds if run.finished]
    if not finished or (others and not (places.sure and len(others) < len(folds))):
        return None
    params = parent.params or places.others(folds[0])
    how = f"nested runs by {places.how}" + (f" (none: {', '.join(others[:3])})" if others else "")
    return _family(parent.id, parent.name, params, finished, places.by_run, how)


def _single(run: RunSeen) -> Family | None:
    scores: dict[str, dict[FoldId, float]] = {}
    vague: dict[str, bool] = {}
    for name, value in run.metrics.items():
        known = measured(name)
        if known is not None and known.fold is not None:
            scores.setdefault(bare_name(name), {})[FoldId(0, known.fold)] = value
            vague[bare_name(name)] = known.vague
    scores = {
        name: folds
        for name, folds in scores.items()
        if len(folds) > 1 and (not vague[name] or number_all(fold for _, fold in folds))
    }
    how = "the numbers in names of metrics"
    if not scores:
        scores = {
            name: {FoldId(0, step): one for step, one in some.items()}
            for name, some in run.steps.items()
            if len(some) > 1
        }
        how = f"the steps of {', '.join(scores)}"
    if not scores:
        return None
    return Family(id=run.id, name=run.name, params=run.params, scores=scores, images={}, how=how)


def _flat(runs: Sequence[RunSeen]) -> Iterator[Family]:
    """The runs of one MLflow experiment that are nested in none."""
    places = told_apart(runs)
    folds = [run for run in runs if run.id in places.by_run]
    if len(set(places.by_run.values())) < 2:
        return
    how = f"runs side by side by {places.how}"
    for name, some in experiments_of(folds, places).items():
        yield _family(some[0].id, name, places.others(some[0]), some, places.by_run, how)


def _family(
    first: str, name: str, params: Mapping[str, str], runs: Sequence[RunSeen], places: Mapping[str, FoldId], how: str
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
