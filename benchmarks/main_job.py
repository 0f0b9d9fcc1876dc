"""The main job on 5,000 digits: foldproof beside the usual script, in turn, as whole processes; ratios of wall time.

    python benchmarks/main_job.py [PAIRS]

Both train the same three experiments with five folds and the same network, and log to MLflow on sqlite. Prints each
pair, the median ratio with its range, the machine and its load.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from foldproof.demo import prepare
from foldproof.provenance.machine import describe

HERE = Path(__file__).parent


def seconds(command, folder):
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    machine = describe()
    print(f"{machine['processor']}, {machine['cores_available']} cores, Python {platform.python_version()}")
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        project = Path(place) / "project"
        prepare(project)
        usual = [sys.executable, str(HERE / "usual_script.py"), str(project / "data" / "train")]
        for number in range(pairs):
            load = os.getloadavg()[0]
            theirs = seconds(usual, place)
            ours = seconds([sys.executable, "-m", "foldproof", "run", "--quiet"], project)
            ratios.append(theirs / ours)
            print(f"pair {number + 1}: usual {theirs:.1f} s, ours {ours:.1f} s, {ratios[-1]:.2f}x (load {load:.1f})")
    middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
    print(f"foldproof is {middle:.2f}x as fast (median; {least:.2f} to {most:.2f}, n = {pairs})")


if __name__ == "__main__":
    main()
