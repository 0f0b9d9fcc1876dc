"""Draw mistakes by seed, make each in a copy of the tree, and see whether the nearest tests notice.

python -m mutants [--draw 200] [--seed 1] [--only analysis] [--files-of-tests ...]
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from queue import SimpleQueue

from mutants import nearest, table, trial
from mutants.operators import Mutant, applied, compiles, mutants_of

KEPT = trial.ROOT / ".mutants"
KILLED, SURVIVED, TIMED_OUT, EQUIVALENT = "killed", "survived", "timed out", "equivalent"
_PATIENCE = 5.0  # times as long as the tests take unchanged, and half a minute


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant, by which test, after how many seconds."""

    mutant: Mutant
    word: str
    by: str
    seconds: float


class Copies:
    """Copies of the tree, one for each that works at once."""

    def __init__(self, folder: Path, count: int) -> None:
        self.processes: ForkServerContext = trial.context()
        self.free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            self.free.put(trial.copied(folder / f"copy-{number}"))

    def reach(self, test: str) -> nearest.Reached | None:
        """What a file of tests executes; None where it fails as it stands."""
        state = nearest.state_of(test)
        kept = KEPT / f"{test.replace('/', '-')}.json"
        found = nearest.read(kept, test, state)
        if found is not None:
            return found
        copy = self.free.get()
        begun = time.perf_counter()
        made = trial.tried(self.processes, copy, [test], seconds=900, reach=copy / "reach.json")
        seconds = time.perf_counter() - begun
        self.free.put(copy)
        if made.code == trial.NO_TESTS:
            seconds, lines = 0.0, {}
        elif made.code == trial.PASSED:
            lines = json.loads((copy / "reach.json").read_text(encoding="utf-8"))
        else:
            print(f"left out, for it fails unchanged: {test}\n{made.said}", flush=True)
            return None
        kept.write_text(json.dumps({"state": state, "seconds": seconds, "lines": lines}), encoding="utf-8")
        return nearest.read(kept, test, state)

    def outcome(self, mutant: Mutant, reached: Mapping[str, nearest.Reached]) -> Outcome:
        """Make the mistake, run the nearest tests, and take it back."""
        source = (table.SOURCE / mutant.file).read_text(encoding="utf-8")
        tests = nearest.nearest(mutant.file, nearest.lines_of(source, mutant.line), reached)
        if not tests:
            return Outcome(mutant, SURVIVED, "no test executes it", 0.0)
        copy = self.free.get()
        path = copy / "src" / "foldproof" / mutant.file
        patience = 30 + _PATIENCE * sum(reached[test].seconds for test in tests)
        begun = time.perf_counter()
        path.write_text(applied(mutant, source), encoding="utf-8")
        try:
            made = trial.tried(self.processes, copy, tests, seconds=patience)
        finally:
            path.write_text(source, encoding="utf-8")
            self.free.put(copy)
        word = {trial.PASSED: SURVIVED, trial.TIMED_OUT: TIMED_OUT}.get(made.code, KILLED)
        return Outcome(mutant, word, made.by or f"exit code {made.code}", time.perf_counter() - begun)


def drawn(count: int, seed: int, only: Sequence[str]) -> list[Mutant]:
    """As many mutants, spread over operators and files: each time an operator is drawn, then one of its mutants."""
    by_operator: dict[str, list[Mutant]] = {}
    for path in table.files():
        if not only or table.name_of(path).startswith(tuple(only)):
            for mutant in mutants_of(table.name_of(path), path.read_text(encoding="utf-8")):
                by_operator.setdefault(mutant.operator, []).append(mutant)
    print(
        f"{sum(map(len, by_operator.values())):,} can be made:", {name: len(all_) for name, all_ in by_operator.items()}
    )
    draw = random.Random(seed)
    for all_ in by_operator.values():
        draw.shuffle(all_)
    found = []
    while len(found) < count and by_operator:
        name = draw.choice(sorted(by_operator))
        mutant = by_operator[name].pop()
        if compiles(applied(mutant, (table.SOURCE / mutant.file).read_text(encoding="utf-8"))):
            found.append(mutant)
        if not by_operator[name]:
            del by_operator[name]
    return found


def shown(outcome: Outcome) -> str:
    """A line; of one that nobody noticed, what it was too."""
    mutant = outcome.mutant
    text = f"{outcome.word}: src/foldproof/{mutant.file}:{mutant.line} ({mutant.operator}; {outcome.by})"
    if outcome.word not in (SURVIVED, TIMED_OUT):
        return f"{text}, {outcome.seconds:.0f} s"
    return f"{text}\n  - {mutant.old}\n  + {mutant.new}"


def outcomes(mutants: Sequence[Mutant], workers: int) -> Iterator[Outcome]:
    """What becomes of each, as it is known."""
    known = table.equivalent()
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        copies = Copies(Path(folder), workers)
        tests = nearest.test_files()
        found = zip(tests, pool.map(copies.reach, tests), strict=True)
        reached = {test: one for test, one in found if one is not None}
        for mutant in mutants:
            if table.names(mutant) in known:
                yield Outcome(mutant, EQUIVALENT, known[table.names(mutant)], 0.0)
        left = [mutant for mutant in mutants if table.names(mutant) not in known]
        work = [pool.submit(copies.outcome, mutant, reached) for mutant in left]
        yield from (done.result() for done in as_completed(work))


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    asked.add_argument("--draw", type=int, default=200)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", nargs="*", default=(), help="beginnings of names below src/foldproof")
    asked.add_argument("--workers", type=int, default=2)
    given = asked.parse_args()
    counts: dict[str, Counter[str]] = {}
    seconds = []
    for outcome in outcomes(drawn(given.draw, given.seed, given.only), given.workers):
        counts.setdefault(outcome.mutant.operator, Counter())[outcome.word] += 1
        seconds.append(outcome.seconds)
        print(shown(outcome), flush=True)
    return summed_up(counts, seconds)


def summed_up(counts: Mapping[str, Counter[str]], seconds: Sequence[float]) -> int:
    """Print the table; 1 where fewer than 95 of 100 that are no equivalents were noticed."""
    words = (KILLED, TIMED_OUT, SURVIVED, EQUIVALENT)
    total = sum(counts.values(), Counter())
    print(f"{'':30}" + "".join(f"{word:>12}" for word in words))
    for name, found in [*sorted(counts.items()), ("all", total)]:
        print(f"{name:30}" + "".join(f"{found[word]:12}" for word in words))
    noticed = total[KILLED] + total[TIMED_OUT]
    share = noticed / max(noticed + total[SURVIVED], 1)
    print(f"{share:.1%} noticed; {sum(seconds) / max(len(seconds), 1):.1f} s a mutant")
    return int(share < 0.95)


if __name__ == "__main__":
    sys.exit(main())
