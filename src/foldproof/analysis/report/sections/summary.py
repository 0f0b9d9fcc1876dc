"""The verdict, what it rests on, and what is missing."""

import math
from collections.abc import Iterator

from foldproof.analysis.report.document import Block, Facts, Items, Section, Text
from foldproof.analysis.report.gather import Material
from foldproof.analysis.report.spelling import count, interval, listed, points, seconds, setting, share, spelled

METRICS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "log_loss": "loss"}


def headline(material: Material) -> tuple[str, str]:
    """The verdict's word and its sentence."""
    verdict = material.comparison.verdict
    scored = [line for line in material.comparison.lines if line.folds]
    if verdict is not None and (len(scored) > 1 or verdict.word.startswith("not")):
        return verdict.word, verdict.text
    if not scored:
        return "nothing yet", "No fold has finished: there is nothing to judge yet."
    (name,) = (shown.name for shown in material.experiments if shown.line is scored[0])
    found = (
        interval(scored[0].interval, share)
        if material.score_kind == "share"
        else spelled(scored[0].score.mean, "number")
    )
    what = f"{name} has {_metric(material)} {found}"
    return "one experiment", f"{what}. One experiment with results: there is nothing to compare it with."


def summary(material: Material) -> Section:
    return Section("summary", "Summary", "", tuple(_blocks(material)))


def _metric(material: Material) -> str:
    return METRICS.get(material.comparison.metric, material.comparison.metric)


def _blocks(material: Material) -> Iterator[Block]:
    comparison = material.comparison
    if comparison.verdict and comparison.verdict.notes:
        yield Items(tuple(setting(note, most=400) for note in comparison.verdict.notes))
    yield Facts(tuple(_tiles(material)), kind="tiles")
    yield from map(Text, _claims(material))
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
    yield "scored by, at the last epoch", _metric(material)
    if material.score_kind == "share":
        yield "counts as equal within", f"±{100 * comparison.rope:.1f} points"


def _range(values: list[int]) -> str:
    low, high = min(values, default=0), max(values, default=0)
    return count(low) if low == high else f"{count(low)} to {count(high)}"


def _claims(material: Material) -> Iterator[str]:
    """What is to be known beside a verdict that has no notes of its own."""
    if material.comparison.verdict and material.comparison.verdict.notes:
        return
    comparison, names = material.comparison, [shown.name for shown in material.experiments]
    if len(names) > 1 and comparison.can_be_best:
        best = [names[index] for index in comparison.can_be_best]
        text = f"{listed(best)} can still be the best." if len(best) > 1 else f"Only {best[0]} can still be the best."
        if comparison.cheapest is not None and len(best) > 1:
            text += f" The cheapest of them to train is {names[comparison.cheapest]}"
            took = comparison.lines[comparison.cheapest].seconds
            text += f" ({seconds(took)})." if took is not None else "."
        yield text
    if len(names) > 1 and math.isfinite(comparison.optimism) and comparison.optimism > 0:
        yield (
            f"The highest average is expected to flatter by {points(comparison.optimism).lstrip('+')} points,"
            " because it was picked for being the highest."
        )


def _limits(material: Material) -> Iterator[str]:
    comparison = material.comparison
    if comparison.scored_on_this_data:
        yield f"Experiments scored on these images so far: {count(comparison.scored_on_this_data)}."
    if not comparison.same_images:
        yield "The experiments do not have the same images: a pair is compared on those it has in common."
    elif not comparison.same_folds:
        yield "The experiments have not been cut into the same folds: they cannot be compared fold by fold."
