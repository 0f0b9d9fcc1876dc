"""Cases by number and seed: each drawn from the grammar, carried out in a world of its own, and judged."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from hostile import drawn_clones, drawn_data, drawn_records
from hostile.attack import Attack, Scene
from hostile.drawn import Drawer
from hostile.oracle import Judged
from hostile.tripwire import Tripwire
from hostile.world import Worlds

SEED = 17
_OWN_PROCESS_EVERY = 40  # modules that shadow others need a process of its own, which takes seconds
_GROUPS: tuple[tuple[Drawer, ...], ...] = (drawn_records.DRAWERS, drawn_clones.DRAWERS, drawn_data.DRAWERS)


@dataclass(frozen=True)
class Case:
    """One case: what was tried and what speaks against it."""

    seed: int
    number: int
    attack: Attack
    judged: tuple[Judged, ...]

    @property
    def is_held(self) -> bool:
        return not any(one.findings for one in self.judged)

    def __str__(self) -> str:
        again = f"PYTHONPATH=tests .venv/bin/python -m hostile --seed {self.seed} --only {self.number}"
        found = "\n".join(str(one) for one in self.judged if one.findings)
        title = f"case {self.number} of seed {self.seed}: {self.attack.target}, {self.attack.name}"
        return f"{title}\n{found}\n  alone: {again}"


def drawn(seed: int, number: int) -> tuple[Attack, Random]:
    """The attack of a case, and the choices that it goes on with."""
    chance = Random(f"{seed}-{number}")
    if number % _OWN_PROCESS_EVERY == _OWN_PROCESS_EVERY - 1:
        return drawn_clones.modules(chance), chance
    group = _GROUPS[number % len(_GROUPS)]
    return group[number // len(_GROUPS) % len(group)](chance), chance


def carry_out(worlds: Worlds, tripwire: Tripwire, seed: int, numbers: Iterable[int]) -> Iterator[Case]:
    """One case after another, each in a fresh world."""
    for number in numbers:
        attack, chance = drawn(seed, number)
        judged = attack.carry_out(Scene(worlds.fresh(), tripwire, chance))
        yield Case(seed, number, attack, tuple(judged))


def table(cases: Iterable[Case]) -> str:
    """Cases by target: how many, how their commands ended, and how many broke a promise."""
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        row = counts.setdefault(case.attack.target, Counter())
        row["cases"] += 1
        row["broken"] += not case.is_held
        row.update(f"exit {one.done.code}" if one.done.code in (0, 1, 2) else "other" for one in case.judged)
    columns = ("cases", "exit 0", "exit 1", "exit 2", "other", "broken")
    counts["all"] = sum(counts.values(), Counter())
    lines = [f"{'target':<12}" + "".join(f"{column:>8}" for column in columns)]
    lines += [f"{target:<12}" + "".join(f"{row[column]:>8}" for column in columns) for target, row in counts.items()]
    return "\n".join(lines)
