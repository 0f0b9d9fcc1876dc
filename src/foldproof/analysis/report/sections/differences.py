"""Show pairs of experiments: their difference, its interval, and the conclusion it allows."""

import math

from foldproof.analysis.comparison import Pair
from foldproof.analysis.report.document import Block, Column, Figure, Section, Table, Text
from foldproof.analysis.report.figures.differences import LEGEND, Forest
from foldproof.analysis.report.gather import Material
from foldproof.analysis.report.spelling import setting

MOST_DRAWN = 15


def differences(material: Material) -> Section | None:
    """None where there is no pair."""
    pairs = material.comparison.pairs
    if not pairs:
        return None
    lead = (
        "The difference of two experiments on the images and folds they have in common. An interval that crosses 0"
        " does not say which is better; one that lies within the green region says that it hardly matters."
    )
    blocks: list[Block] = []
    comparable = [pair for pair in pairs if not pair.not_comparable]
    blocks += [
        Text(f"{_what(pair, material)}: not comparable: {setting(pair.not_comparable)}.", "gap")
        for pair in pairs
        if pair.not_comparable
    ][:MOST_DRAWN]
    blocks.append(_figure(material, comparable) if comparable else _table(material))
    if comparable and len(pairs) <= MOST_DRAWN:
        blocks.append(_verdicts(material))
    return Section("differences", "Differences", lead, tuple(blocks))


def _what(pair: Pair, material: Material) -> str:
    return f"{material.experiments[pair.a].name} {chr(8722)} {material.experiments[pair.b].name}"


def _figure(material: Material, pairs: list[Pair]) -> Figure:
    drawn = sorted(pairs, key=lambda p: -abs(p.difference.value) if math.isfinite(p.difference.value) else math.inf)
    left_out = f" The {MOST_DRAWN} largest of {len(pairs)} are drawn." if len(pairs) > MOST_DRAWN else ""
    drawn = [pair for pair in pairs if pair in drawn[:MOST_DRAWN]]
    rope = material.comparison.rope
    return Figure(
        key="differences",
        title="Differences with 95 % intervals",
        caption=(
            f"First minus second, at the last epoch. Green: the region of practical equivalence,"
            f" ±{material.unit.gap(rope)}.{left_out}"
        ),
        drawings=(
            Forest(
                "Differences with 95 % intervals",
                tuple((_what(pair, material), pair.difference) for pair in drawn),
                rope,
                material.unit.factor,
                material.unit.name,
            ),
        ),
        legend=LEGEND,
        data=_table(material),
    )


def _verdicts(material: Material) -> Table:
    columns = (
        Column("pair", "pair", "name"),
        Column("difference", f"difference, {material.unit.name}", f"{material.gap_kind}_interval"),
        Column("adjusted", "p, Holm", "probability"),
        Column("verdict", "what it allows to be said"),
    )
    rows = tuple(
        (_what(pair, material), pair.difference, pair.adjusted, pair.verdict.text if pair.verdict else "")
        for pair in material.comparison.pairs
    )
    return Table(key="verdicts", title="Pair by pair", columns=columns, rows=rows)


def _table(material: Material) -> Table:
    columns = (
        Column("pair", "pair", "name"),
        Column("difference", f"difference, {material.unit.name}", f"{material.gap_kind}_interval"),
        Column("verdict", "verdict"),
        Column("p", "p", "probability"),
        Column("adjusted", "p, Holm", "probability"),
        Column("corrected_p", "p, corrected t", "probability"),
        Column("worse", "P(first worse)", "probability"),
        Column("equal", "P(equal)", "probability"),
        Column("better", "P(first better)", "probability"),
        Column("above", "P(above 0)", "probability"),
        Column("common_images", "common images", "count"),
        Column("places", "folds", "count"),
        Column("only_a_right", "only first right", "count"),
        Column("only_b_right", "only second right", "count"),
        Column("detectable", f"detectable, {material.unit.name}", material.gap_kind),
        Column("images_needed", f"images for {material.unit.gap(material.comparison.rope)}", "count"),
    )
    rows = tuple(
        (
            _what(pair, material),
            pair.difference,
            pair.verdict.text if pair.verdict else pair.not_comparable,
            *(getattr(pair, column.key) for column in columns[3:]),
        )
        for pair in material.comparison.pairs
    )
    note = (
        "Worse, equal, better: by more than, or within, the region of practical equivalence. Only first right:"
        " images that one got right and the other did not; shown, not decisive. Last epoch of each fold."
    )
    return Table(key="pairs", title="All pairs", columns=columns, rows=rows, note=note, folded=True)
