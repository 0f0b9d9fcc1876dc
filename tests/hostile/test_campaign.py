"""Cases drawn by seed: nothing that comes from somebody else writes, deletes, leaks or runs.

`FOLDPROOF_HOSTILE=N` carries out N of them, `FOLDPROOF_HOSTILE_SEED=S` others.
"""

import os

import pytest

from hostile.campaign import SEED, carry_out, table
from hostile.tripwire import Tripwire
from hostile.world import Worlds

CHOSEN = int(os.environ.get("FOLDPROOF_HOSTILE_SEED", str(SEED)))
USUAL, THOROUGH, PART = 20, int(os.environ.get("FOLDPROOF_HOSTILE", "600")), 50
PARTS = [range(first, min(first + PART, THOROUGH)) for first in range(0, THOROUGH, PART)]


def holds(worlds: Worlds, tripwire: Tripwire, numbers: range) -> None:
    cases = list(carry_out(worlds, tripwire, CHOSEN, numbers))
    print(f"\n{table(cases)}")
    broken = [str(case) for case in cases if not case.is_held]
    assert not broken, f"{len(broken)} of {len(cases)}\n" + "\n\n".join(broken)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_from_somebody_else_writes_deletes_leaks_or_runs(worlds: Worlds, tripwire: Tripwire) -> None:
    holds(worlds, tripwire, range(USUAL))


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("numbers", PARTS, ids=lambda part: f"{part.start}-{part.stop - 1}")
def test_in_hundreds_of_cases(numbers: range, worlds: Worlds, tripwire: Tripwire) -> None:
    holds(worlds, tripwire, numbers)
