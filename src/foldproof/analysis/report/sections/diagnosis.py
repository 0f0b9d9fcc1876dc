"""Show the diagnoses of the runs in words, with the numbers behind them."""

from collections.abc import Iterator

from foldproof.analysis.diagnosis import Diagnosis, diagnose, reseeded
from foldproof.analysis.report.document import Column, Section, Table
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.spelling import number, setting
from foldproof.records.facts import reseed_of


def diagnosis(material: Material) -> Section | None:
    """None where nothing was found."""
    columns = (
        Column("experiment", "experiment", "name"),
        Column("text", "what it looks like"),
        Column("place", "where"),
        Column("evidence", "evidence"),
        Column("code", "code", "code"),
    )
    rows = tuple(
        (
            shown.name,
            setting(one.text, most=400),
            str(one.fold_id or "all folds"),
            _evidence(one),
            setting(one.code),
        )
        for shown in material.experiments
        for one in _found(shown, material)
    )
    if not rows:
        return None
    lead = "What curves and predictions look like, by fixed rules, and what to try. Never a cause beyond the evidence."
    return Section("diagnosis", "Diagnosis", lead, (Table(key="diagnosis", title="Found", columns=columns, rows=rows),))


def _found(shown: Shown, material: Material) -> Iterator[Diagnosis]:
    if shown.record.finished:
        yield from diagnose(shown.record, shown.table, disagreement=shown.line.disagreement)
    for again in material.again:
        of = reseed_of(again.facts)
        if of is not None and of.run == shown.record.run:
            yield reseeded(shown.record, again)


def _evidence(one: Diagnosis) -> str:
    shown = {key: number(value) if isinstance(value, float) else str(value) for key, value in one.evidence.items()}
    return setting(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in shown.items()), most=400)
