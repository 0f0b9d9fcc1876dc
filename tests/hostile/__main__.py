"""Draw and carry out cases: `python -m hostile --count 600`. Prints a table, and how to run alone what fails."""

import argparse
import sys
import tempfile
from pathlib import Path

from hostile.campaign import SEED, carry_out, table
from hostile.server import Server
from hostile.tripwire import Tripwire
from hostile.world import Worlds

parser = argparse.ArgumentParser(prog="python -m hostile", description=__doc__)
parser.add_argument("--count", type=int, default=600, help="how many cases")
parser.add_argument("--first", type=int, default=0, help="the number of the first case")
parser.add_argument("--seed", type=int, default=SEED)
parser.add_argument("--only", type=int, help="the one case of this number")
asked = parser.parse_args()
numbers = range(asked.first, asked.first + asked.count) if asked.only is None else [asked.only]
cases = []
with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
    server, tripwire = Server(), Tripwire()
    for case in carry_out(Worlds(Path(folder), server), tripwire, asked.seed, numbers):
        cases.append(case)
        if asked.only is not None or not case.is_held:
            print(case if not case.is_held else "\n".join(map(str, case.judged)), flush=True)
    server.close()
    tripwire.close()
print(table(cases))
sys.exit(0 if all(case.is_held for case in cases) else 1)
