"""Check that folds.csv splits the recorded images without a leak."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from foldproof.folds import Assignment, Scheme, is_ordered, known_folds, rows_of
from foldproof.folds.units import unit_numbers
from foldproof.plan.splits import scheme_of
from foldproof.reproduce.recorded import Recorded

_SHOWN = 3


def assignments_of(recorded: Recorded) -> tuple[tuple[Assignment, ...], list[str]]:
    """A partition for each repeat, as folds.csv has it, and what is wrong with its rows.

    An image without a row, or one that trains alone, is in no fold, -1.
    """
    scheme = scheme_of(recorded.config)
    problems = list(_of_rows(recorded, scheme))
    made = []
    for repeat in range(recorded.config.folds.repeats):
        known = known_folds(recorded.rows, scheme, repeat)
        fold_of = np.array([known.get(sample.sha256, -1) for sample in recorded.dataset.samples], dtype=np.int64)
        made.append(Assignment(repeat, fold_of, ordered=is_ordered(scheme.name)))
    return tuple(made), problems


def check_leaks(recorded: Recorded, assignments: tuple[Assignment, ...]) -> Iterator[str]:
    """Images of one content, group or cluster of look-alikes that validate in several folds of a repeat."""
    units = unit_numbers(recorded.dataset)
    for made in assignments:
        of_unit: defaultdict[int, set[int]] = defaultdict(set)
        for unit, fold in zip(units.tolist(), made.fold_of.tolist(), strict=True):
            of_unit[unit].add(fold)
        torn = [unit for unit, folds in of_unit.items() if len(folds) > 1]
        names = [recorded.dataset.samples[int(np.argmax(units == unit))].path for unit in torn[:_SHOWN]]
        if torn:
            yield f"repeat {made.repeat}: {len(torn)} groups or copies straddle folds, as of {', '.join(names)}"
        empty = sorted(set(range(recorded.config.folds.k)) - set(made.fold_of.tolist()))
        if empty:
            yield f"repeat {made.repeat}: nothing validates in fold {empty[0]}"


def check_held_out(recorded: Recorded) -> Iterator[str]:
    """Images that were to be held out and stand among those of the folds, by content."""
    if recorded.held_out is None:
        return
    if recorded.held_out.fingerprint != recorded.record.facts["held_out"]:
        yield "held-out.json is not the set of images that run.json names"
    trained = {sample.sha256 for sample in recorded.dataset.samples}
    both = [sample.path for sample in recorded.held_out.samples if sample.sha256 in trained]
    if both:
        yield f"{len(both)} images that were held out stand in the folds, as {', '.join(both[:_SHOWN])}"


def _of_rows(recorded: Recorded, scheme: Scheme) -> Iterator[str]:
    images = Counter((sample.sha256, sample.label) for sample in recorded.dataset.samples)
    for repeat in range(recorded.config.folds.repeats):
        rows = rows_of(recorded.rows, scheme, repeat)
        there = Counter((row.sha256, row.label) for row in rows)
        if there != images:
            yield (
                f"repeat {repeat}: folds.csv has {sum(there.values())} rows of {len(recorded.dataset)} images, "
                f"{sum((images - there).values())} missing, {sum((there - images).values())} of none of them"
            )
        folds: defaultdict[str, set[int]] = defaultdict(set)
        for row in rows:
            folds[row.sha256].add(row.fold)
        twice = [sha256 for sha256, found in folds.items() if len(found) > 1]
        if twice:
            yield f"repeat {repeat}: {len(twice)} images stand in several folds, as {twice[0][:12]}"
