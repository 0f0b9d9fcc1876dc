"""Show the verdict, what it rests on, and what is missing."""

from collections.abc import Iterator

from foldproof.analysis.report.document import Beside, Block, Facts, Items, Section, Text
from foldproof.analysis.report.gather import Material
from foldproof.analysis.report.sections.folds import every_fold
from foldproof.analysis.report.spelling import count, setting


def headline(material: Material) -> tuple[str, str]:
    """The verdict's word and its sentence."""
    verdict = material.comparison.verdict
    scored = [line for line in material.comparison.lines if line.folds]
    if not scored:
        return "nothing yet", "No fold has finished: there is nothing to judge yet."
    return (verdict.word, verdict.text) if verdict else ("no verdict", "No verdict")


def summary(material: Material) -> Section:
    return Section("summary", "Summary", "", tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    comparison = material.comparison
    said = comparison.verdict.notes if comparison.verdict else ()
    notes = Items(tuple(setting(note, most=400) for note in said))
    if any(line.folds for line in comparison.lines):
        yield Beside(notes, every_fold(material, key="summary")) if notes.items else every_fold(material, key="summary")
    elif notes.items:
        yield notes
    yield Facts(tuple(_tiles(material)), kind="tiles")
    yield from map(Text, _limits(material))
    if comparison.unverified:
        yield Text(setting(comparison.unverified, most=400), "gap")
    gaps = tuple(f"{shown.name}: {setting(gap, most=300)}" for shown in material.experiments for gap in shown.gaps)
    if gaps:
        yield Items(gaps, "gap")


def _tiles(material: Material) -> Iterator[tuple[str, str]]:
    comparison, records = material.comparison, [shown.record for shown in material.experiments]
    yield "experiments", count(len(records))
    yield "images", _range([record.facts["images"] for record in records])
    yield "classes", _range([len(record.facts["classes"]) for record in records])
    folds = [record.facts["config"]["folds"] for record in records]
    repeats = max((fold["repeats"] for fold in folds), default=1)
    yield ("folds, one partition" if repeats == 1 else f"folds, {repeats} partitions"), _range([f["k"] for f in folds])
    yield "scored by, at the last epoch", material.metric_title
    yield "counts as equal within", f"±{material.unit.gap(comparison.rope)}"


def _range(values: list[int]) -> str:
    low, high = min(values, default=0), max(values, default=0)
    return count(low) if low == high else f"{count(low)} to {count(high)}"


def _limits(material: Material) -> Iterator[str]:
    comparison = material.comparison
    if comparison.scored_on_this_data:
        yield f"Experiments scored on these images so far: {count(comparison.scored_on_this_data)}."
    if not comparison.same_images:
        yield "The experiments have different images: a pair is compared on those it shares."
    elif not comparison.same_folds:
        yield "The experiments have different folds: they cannot be compared fold by fold."
