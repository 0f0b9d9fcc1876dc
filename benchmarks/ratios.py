"""Pairs of measures in; which of them count, and the ratios of those that do, out. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measured import Measure

MOST_OTHERS = 0.05  # of the machine's processor time may go to other processes


@dataclass(frozen=True)
class Pair:
    """A run of another program and one of foldproof in the same round, and the mean accuracy of each experiment.

    `part`: how much of the work the other ran, where `theirs` is computed from that by the rule in `parts.py`; empty
    where it ran all of it.
    """

    work: str
    way: str
    other: str
    number: int
    commit: str
    theirs: Measure
    ours: Measure
    accuracy: Mapping[str, tuple[float, float]]  # theirs, ours
    arguments: tuple[str, ...] = ()  # of the other
    part: str = ""
    seconds: float = 0.0  # what the other really took

    @property
    def speed(self) -> float:
        """How many times as fast foldproof is."""
        return self.theirs.wall / self.ours.wall

    @property
    def processor_time(self) -> float:
        """How many times as much processor time the other takes: depends little on what else the machine does."""
        return self.theirs.cpu / self.ours.cpu

    @property
    def memory(self) -> float:
        """How many times as much memory foldproof takes."""
        return self.ours.peak_rss / self.theirs.peak_rss

    @property
    def void(self) -> str:
        """Why the pair does not count; empty where it does."""
        for who, measure in ((self.other, self.theirs), ("foldproof", self.ours)):
            if measure.others_share > MOST_OTHERS:
                return f"other processes took {measure.others_share:.0%} of the machine beside {who}"
        return ""


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most of `n` values."""

    median: float
    least: float
    most: float
    n: int

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


def around(others: Sequence[str], number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the others run before foldproof and which after it, in round `number`: every other round reversed."""
    before = others[: (len(others) + 1) // 2]
    after = others[len(before) :]
    return (tuple(before), tuple(after)) if number % 2 == 0 else (tuple(reversed(after)), tuple(reversed(before)))


def spread(values: Sequence[float]) -> Spread:
    """Raises ValueError where there are none."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def counted(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that are not void."""
    return [pair for pair in pairs if not pair.void]
