"""Two run folders in; the first place where the folds that both have trained part, out."""

from collections.abc import Mapping
from pathlib import Path

from foldproof.analysis.divergence import Divergence, FoldTrace, parting
from foldproof.record import Place, RunRecord
from foldproof.reproduce.recorded import losses


def first_parting(then: Path, now: Path) -> tuple[Divergence | None, int]:
    """Where the first fold parts that both runs have trained to the end, and how many such folds there are.

    Raises DamagedFile where a record cannot be read.
    """
    old, new = RunRecord.read(then), RunRecord.read(now)
    both = sorted(old.finished.keys() & new.finished.keys())
    partings = (parting(_trace(then, old, place), _trace(now, new, place)) for place in both)
    return next((one for one in partings if one is not None), None), len(both)


def equal_runs(one: RunRecord, other: RunRecord) -> bool:
    """Whether every fold that both runs have finished came out the same, by epochs, scores and weights."""
    both = one.finished.keys() & other.finished.keys()
    return bool(both) and all(_said(one, place) == _said(other, place) for place in both)


def again(records: Mapping[str, RunRecord]) -> Mapping[str, tuple[str, bool]]:
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


def _said(record: RunRecord, place: Place) -> object:
    return record.epochs[place], record.finished[place]


def _trace(folder: Path, record: RunRecord, place: Place) -> FoldTrace:
    return FoldTrace.of(record, place, losses(folder, place))
