"""How long a campaign will take: what it lacks and what was measured before in; a few lines for a person out. Pure."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.campaign import Campaign
from benchmarks.others import OTHERS, USUAL
from benchmarks.parts import PART, SEARCH, folds_of
from benchmarks.ratios import Pair, counted
from benchmarks.works import WORKS, Way, Work

START = 12.0  # rough seconds of a program that trains next to nothing
FEATURES_TIMES = 30.0  # rough: so much shorter is what passes a frozen backbone once


def estimated(
    campaign: Campaign, lacking: Mapping[str, Sequence[str]], done: Sequence[Pair], before: Sequence[Pair]
) -> str:
    """Minutes in all and by work; from the medians of earlier runs where there are some, else roughly."""
    lines, total = [], 0.0
    for name, others in lacking.items():
        work = WORKS[name]
        seconds = 0.0
        for other in others:
            have = [pair for pair in done if (pair.work, pair.other) == (name, other)]
            rounds = campaign.pairs - len(counted(have)) // max(1, len(campaign.ways_of(work)))
            seconds += rounds * _theirs(work, other, campaign.part(other), before)
            seconds += (
                len(OTHERS[other].searched) * _rough(work, other, SEARCH.folds * SEARCH.epochs) if not have else 0
            )
        if others:
            ways = [way for way in work.ways if way.name in campaign.ways_of(work)]
            seconds += campaign.pairs * sum(_ours(work, way, before) for way in ways)
            lines.append(f"  {name}: about {seconds / 60:.0f} min; {campaign.pairs} rounds of {', '.join(others)}")
        total += seconds
    return "\n".join([f"about {total / 60:.0f} min are left, on a quiet machine", *lines])


def _theirs(work: Work, other: str, part: str, before: Sequence[Pair]) -> float:
    same = [pair for pair in before if (pair.work, pair.other, pair.part) == (work.name, other, part)]
    if same:
        return statistics.median(pair.seconds for pair in same)
    return _rough(work, other, folds_of(work, PART) * PART.epochs if part else work.fold_epochs)


def _rough(work: Work, other: str, fold_epochs: int) -> float:
    if other != USUAL and work.frozen and "feature" in other:
        return START + work.script_seconds / FEATURES_TIMES
    return START + work.script_seconds * fold_epochs / work.fold_epochs


def _ours(work: Work, way: Way, before: Sequence[Pair]) -> float:
    same = [pair.ours.wall for pair in before if (pair.work, pair.way) == (work.name, way.name)]
    if same:
        return statistics.median(same)
    return START + work.script_seconds / (way.targets[0] if way.targets else 3.0)
