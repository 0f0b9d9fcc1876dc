"""Gather everything that the sections of a report need from records and their comparison. Reads run folders."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Comparison, Line
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.report.document import Column
from foldproof.analysis.report.privacy import Privacy, name
from foldproof.analysis.verdict import MetricUnit, names_of
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.metrics import metric_of
from foldproof.records.record import RunRecord
from foldproof.storage import read_json_inside, redact

MOST_DETAILED = 4  # experiments whose matrices and curves by class are drawn
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One experiment of the report. `name` is told apart from the others'; `gaps` say what is missing and why.

    `card` and `environment` are what stands in the run's folder, of any shape; empty where there is none.
    """

    name: str
    record: RunRecord
    line: Line
    table: OutOfFold | None
    gaps: tuple[str, ...]
    card: Mapping[str, Any]
    environment: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.record.facts["classes"])


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a report is made from. `leading` is the experiment that details are shown of first: the one named better,
    else the one with the highest average, which is no claim; `detailed` are those whose details are drawn; `again` are
    runs that trained one fold of a run once more.
    """

    comparison: Comparison
    experiments: tuple[Shown, ...]
    privacy: Privacy
    data_folder: Path | None
    leading: Shown | None
    detailed: tuple[Shown, ...]
    again: tuple[RunRecord, ...] = ()

    @property
    def unit(self) -> MetricUnit:
        """How the comparison's metric is spoken of."""
        return MetricUnit.of(self.comparison.metric)

    @property
    def metric_title(self) -> str:
        """What the comparison's metric is called."""
        return metric_of(self.comparison.metric).title

    @property
    def score_kind(self) -> str:
        """How scores of the comparison's metric are spelled; see `spelling.KINDS`."""
        return "share" if self.unit.is_fraction else "number"

    @property
    def gap_kind(self) -> str:
        """How differences of such scores are spelled."""
        return "points" if self.unit.is_fraction else "number"


def metric_column(name: str) -> Column:
    """The column of a metric that several are shown beside."""
    metric = metric_of(name)
    return Column(name, metric.title, "share" if metric.is_fraction else "number")


def gather(
    records: Sequence[RunRecord],
    comparison: Comparison,
    *,
    tables: Sequence[OutOfFold | None] | None = None,
    again: Sequence[RunRecord] = (),
    privacy: Privacy,
    data_folder: Path | None,
) -> Material:
    """`tables`, where they have been read already, are of the records; `data_folder` has the images.

    Nothing that is missing or damaged in a run raises: it is a gap.
    """
    names = names_of(comparison.lines)
    found = [Candidate.of(record).table for record in records] if tables is None else tables
    experiments = tuple(
        _shown(record, line, table, shown_name=name(called), privacy=privacy)
        for record, line, called, table in zip(records, comparison.lines, names, found, strict=True)
    )
    order = _order(comparison)
    return Material(
        comparison=comparison,
        experiments=experiments,
        privacy=privacy,
        data_folder=data_folder,
        leading=next((experiments[i] for i in order if experiments[i].table is not None), None),
        detailed=tuple(experiments[i] for i in sorted(order[:MOST_DETAILED])),
        again=tuple(again),
    )


def _order(comparison: Comparison) -> list[int]:
    """Positions: the one named better, then those that can be best, each by their average."""
    winner = comparison.verdict.winner if comparison.verdict else None
    sign = 1 if metric_of(comparison.metric).higher_is_better else -1

    def place(index: int) -> tuple[bool, bool, float]:
        mean = comparison.lines[index].score.mean
        return index != winner, index not in comparison.can_be_best, -sign * mean if math.isfinite(mean) else math.inf

    return sorted(range(len(comparison.lines)), key=place)


def _shown(
    record: RunRecord,
    line: Line,
    table: OutOfFold | None,
    *,
    shown_name: str,
    privacy: Privacy,
) -> Shown:
    gaps = _gaps(record, privacy)
    if record.finished and table is None:
        gaps.append("no predictions image by image" + _reason(line.without_table, record, privacy))
    return Shown(
        name=shown_name,
        record=record,
        line=line,
        table=table if table is not None and len(table) else None,
        gaps=tuple(gaps),
        card=_read(record.folder, "data-card.json"),
        environment=_read(record.folder, "environment.json"),
    )


def _reason(reason: str, record: RunRecord, privacy: Privacy) -> str:
    """Why, without the place of the run's folder, and not at all where paths must not show."""
    if privacy.hash_paths or not reason:
        return ""
    return f": {redact(reason.replace(str(record.folder), record.run))}"


def _gaps(record: RunRecord, privacy: Privacy) -> list[str]:
    folds = record.facts["config"]["folds"]
    expected = [FoldId(repeat, fold) for repeat in range(folds["repeats"]) for fold in range(folds["k"])]
    gaps = []
    for fold_id in expected:
        where = f"fold {fold_id.short(repeats=folds['repeats'])}"
        if fold_id in record.failed:
            failed = record.failed[fold_id]
            gaps.append(f"{where} failed: {failed.error}{_reason(failed.reason, record, privacy)}")
        elif fold_id not in record.finished:
            gaps.append(f"{where} has no result ({record.status})")
        elif not all(map(math.isfinite, (record.epochs[fold_id][-1].val_loss, record.epochs[fold_id][-1].train_loss))):
            gaps.append(f"{where}: its loss is not finite at the last epoch")
    return gaps


def _read(folder: Path, file: str) -> Mapping[str, Any]:
    try:
        return read_json_inside(folder, file, most_bytes=_MOST_BYTES)
    except (DamagedFile, OSError):
        return {}
