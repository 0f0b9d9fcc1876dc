"""`Campaign`: which works, sides, ways and parts are asked for, how often; pairs in, what is lacking out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.others import others_of
from benchmarks.parts import PART
from benchmarks.ratios import Pair, counted
from benchmarks.works import WORKS, Work


@dataclass(frozen=True)
class Campaign:
    """What is asked for: names of sides and ways, which of the sides run a part, pairs of each, and where."""

    works: tuple[Work, ...]
    sides: tuple[str, ...]
    ways: tuple[str, ...]
    parts: tuple[str, ...]
    pairs: int
    tries: int
    more: tuple[str, ...]

    def others(self, work: Work) -> list[str]:
        return [other.name for other in others_of(work) if not self.sides or other.name in self.sides]

    def ways_of(self, work: Work) -> list[str]:
        return [way.name for way in work.ways if not self.ways or way.name in self.ways]

    def part(self, other: str) -> str:
        return str(PART) if other in self.parts or "all" in self.parts else ""

    def wants(self, pair: Pair) -> bool:
        """Whether it is one of those that are asked for."""
        work = WORKS[pair.work]
        asked = work in self.works and pair.other in self.others(work) and pair.way in self.ways_of(work)
        return asked and pair.part == self.part(pair.other)

    def lacking(self, work: Work, pairs: Sequence[Pair]) -> list[str]:
        """Others of which in some way too few pairs count, and which have not been tried too often."""
        found = []
        for other in self.others(work):
            for way in self.ways_of(work):
                done = [pair for pair in pairs if (pair.work, pair.other, pair.way) == (work.name, other, way)]
                if len(counted(done)) < self.pairs and len(done) < self.tries * self.pairs:
                    found.append(other)
        return list(dict.fromkeys(found))
