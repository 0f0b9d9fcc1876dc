"""Find the first step in which two trainings of the same folds differ."""

from pathlib import Path

from foldproof.analysis.divergence import Divergence, FoldTrace, parting
from foldproof.events.fold_id import FoldId
from foldproof.records.record import RunRecord
from foldproof.reproduce.recorded import losses


def find_first_difference(then: Path, now: Path) -> tuple[Divergence | None, int]:
    """Where the first fold parts that both runs have trained to the end, and how many such folds there are.

    Raises DamagedFile where a record cannot be read.
    """
    old, new = RunRecord.read(then), RunRecord.read(now)
    both = sorted(old.finished.keys() & new.finished.keys())
    partings = (parting(_trace(then, old, fold_id), _trace(now, new, fold_id)) for fold_id in both)
    return next((one for one in partings if one is not None), None), len(both)


def _trace(folder: Path, record: RunRecord, fold_id: FoldId) -> FoldTrace:
    return FoldTrace.of(record, fold_id, losses(folder, fold_id))
