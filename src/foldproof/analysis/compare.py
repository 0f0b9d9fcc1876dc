"""Compare runs: every score with its interval, every pair on what both have, and a verdict. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Comparison, Line, Pair
from foldproof.analysis.lines import lines_of
from foldproof.analysis.next_step import next_step
from foldproof.analysis.pairs import pairs_of
from foldproof.analysis.scoring import ACCURACY, BALANCED, default_metric
from foldproof.analysis.statistics.optimism import optimism_of_best
from foldproof.analysis.verdict import judge, judge_pair, names_of, winner_of
from foldproof.config.schema import CompareSettings
from foldproof.metrics import metric_of
from foldproof.records.store import RunStore

AUTO = "auto"
ROPE = 0.01  # one point


def compare_runs(
    candidates: Sequence[Candidate], settings: CompareSettings, store: RunStore | None = None
) -> Comparison:
    """Compare runs of a project as its settings ask, with the notes that follow from its other runs in `store`.

    What is stored with a run is compared without `store`: it has to be recomputable from the runs compared.
    """
    fingerprints = {candidate.summary.fingerprint for candidate in candidates}
    return compare(
        candidates,
        metric=settings.metric,
        rope=settings.rope / 100,
        scored_on_this_data=store.scored_on(fingerprints) if store else None,
    )


def compare(
    candidates: Sequence[Candidate],
    *,
    metric: str = AUTO,
    rope: float = ROPE,
    scored_on_this_data: int | None = None,
    unverified: str = "",
) -> Comparison:
    """Put runs side by side; a run with folds missing is compared by those it has.

    `rope`: a difference no larger does not matter in practice, in the metric's own units. `scored_on_this_data`: how
    many experiments have been scored on these images; `unverified`: what could not be checked, said with the verdict.
    """
    metric = chosen_metric(candidates) if metric == AUTO else metric
    lines = lines_of(candidates, metric)
    pairs = pairs_of(candidates, metric=metric, rope=rope)
    can_be_best = _can_be_best(len(lines), pairs)
    keys = dict.fromkeys(key for line in lines for key in line.settings)
    names = names_of(lines)
    remarks = (unverified,) if unverified else ()
    found = Comparison(
        metric=metric,
        rope=rope,
        lines=tuple(lines),
        differing=tuple(key for key in keys if len({repr(line.settings.get(key)) for line in lines}) > 1),
        same_images=len({candidate.summary.fingerprint for candidate in candidates}) <= 1,
        same_folds=len({candidate.summary.folds_digest for candidate in candidates}) <= 1,
        pairs=tuple(
            replace(pair, verdict=judge_pair(pair, lines, names, metric=metric, rope=rope, remarks=remarks))
            for pair in pairs
        ),
        verdict=None,
        can_be_best=can_be_best,
        cheapest=_cheapest(lines, can_be_best),
        optimism=_optimism(candidates, lines, metric),
        scored_on_this_data=scored_on_this_data,
        next_step=next_step(lines, pairs, candidates, metric),
        unverified=unverified,
    )
    return replace(found, verdict=judge(found, remarks=remarks))


def chosen_metric(candidates: Sequence[Candidate]) -> str:
    """Balanced accuracy where the classes of any of the runs are too unequal for accuracy, else accuracy."""
    tables = [candidate.table for candidate in candidates if candidate.table is not None]
    return BALANCED if any(default_metric(table.labels) == BALANCED for table in tables) else ACCURACY


def _can_be_best(count: int, pairs: Sequence[Pair]) -> tuple[int, ...]:
    beaten = {pair.b if won[0] == pair.a else pair.a for pair in pairs if (won := winner_of(pair)) is not None}
    return tuple(at for at in range(count) if at not in beaten)


def _cheapest(lines: Sequence[Line], candidates: Sequence[int]) -> int | None:
    known = {at: seconds for at in candidates if (seconds := lines[at].seconds) is not None and lines[at].folds}
    return min(known, key=lambda at: known[at]) if known and len(known) == len(candidates) else None


def _optimism(candidates: Sequence[Candidate], lines: Sequence[Line], metric: str) -> float:
    places = sorted({place for line in lines for place in line.folds})
    if not places:
        return math.nan
    table = np.array([[line.folds.get(place, math.nan) for place in places] for line in lines], dtype=np.float64)
    sign = 1.0 if metric_of(metric).higher_is_better else -1.0
    return optimism_of_best(sign * table, k=min(candidate.summary.k for candidate in candidates))
