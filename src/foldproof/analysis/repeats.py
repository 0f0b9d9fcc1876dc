"""Find runs that repeat an experiment, and whether they gave the same results. Pure."""

from collections.abc import Mapping, Sequence

from foldproof.analysis.divergence import keep_common_scores
from foldproof.events.fold_id import FoldId
from foldproof.events.types import EpochFinished, FoldFinished, comparable_body
from foldproof.records.record import RunRecord


def equal_runs(one: RunRecord, other: RunRecord) -> bool:
    """Whether every fold that both runs have finished came out the same, by epochs, common scores and weights."""
    both = one.finished.keys() & other.finished.keys()
    return bool(both) and all(_equal_folds(one, other, fold_id) for fold_id in both)


def find_repeats(records: Mapping[str, RunRecord]) -> Mapping[str, tuple[str, bool]]:
    """For each run whose identity an earlier one has: the first run of it, and whether it came out the same.

    `records` by run id, oldest first.
    """
    first: dict[str, str] = {}
    found = {}
    for run, record in records.items():
        earlier = first.setdefault(record.identity, run)
        if earlier != run and record.finished and records[earlier].finished:
            found[run] = (earlier, equal_runs(records[earlier], record))
    return found


def _equal_folds(one: RunRecord, other: RunRecord, fold_id: FoldId) -> bool:
    old, new = keep_common_scores(one.finished[fold_id], other.finished[fold_id])
    return _said(one.epochs[fold_id], old) == _said(other.epochs[fold_id], new)


def _said(epochs: Sequence[EpochFinished], end: FoldFinished) -> list[object]:
    return [*map(comparable_body, epochs), comparable_body(end)]
