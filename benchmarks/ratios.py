"""Pairs of measures in; which of them count, and the ratios of those that do, out. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measured import Measure

MOST_OTHERS = 0.05  # of the machine's processor time may go to other processes


@dataclass(frozen=True)
class Pair:
    """One run of each side, one right after the other, and the mean accuracy of each experiment."""

    work: str
    setting: str
    number: int
    commit: str
    script: Measure
    foldproof: Measure
    accuracy: Mapping[str, tuple[float, float]]  # of the script, of foldproof
    arguments: tuple[str, ...] = ()  # of the script

    @property
    def script_first(self) -> bool:
        return script_first(self.number)

    @property
    def speed(self) -> float:
        """How many times as fast foldproof is."""
        return self.script.wall / self.foldproof.wall

    @property
    def processor_time(self) -> float:
        """How many times as much processor time the script takes: depends little on what else the machine does."""
        return self.script.cpu / self.foldproof.cpu

    @property
    def memory(self) -> float:
        """How many times as much memory foldproof takes."""
        return self.foldproof.peak_rss / self.script.peak_rss

    @property
    def void(self) -> str:
        """Why the pair does not count; empty where it does."""
        for who, measure in (("the script", self.script), ("foldproof", self.foldproof)):
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


def script_first(number: int) -> bool:
    """Sides in alternation: A B, B A, A B, …"""
    return number % 2 == 0


def spread(values: Sequence[float]) -> Spread:
    """Raises ValueError where there are none."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def counted(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that are not void."""
    return [pair for pair in pairs if not pair.void]
