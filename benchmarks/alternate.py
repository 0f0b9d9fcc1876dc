"""Time against the usual script: works in; pairs of runs in alternation, kept one by one, and a dated report, out.

    python -m benchmarks.alternate [--pairs 5] [--works digits,frozen-resnet18] [--photos FOLDER]

Each pair is a process of its own, and its result is kept in `.bench`: what was interrupted goes on where it was. A pair
during which other processes were busy is void and done again, up to `--tries` times as many as asked for. A job is
timed from its command to the end of its process, when every MLflow run is closed; each begins without caches and with a
fresh SQLite store.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import works
from benchmarks.measured import Measure
from benchmarks.pair import commit
from benchmarks.ratios import Pair, counted, spread
from benchmarks.report import write_report
from benchmarks.works import ScriptSetting, Work, settings_of

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"


class Kept:
    """What was measured, a line of JSON a pair or a search, in a file that outlives an interruption."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, kind: str, value: Mapping[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **value}) + "\n")

    def pairs(self, work: str, setting: str, made_by: str) -> list[Pair]:
        found = [line for line in self._lines("pair") if line["work"] == work and line["setting"] == setting]
        return [pair_of(line) for line in found if line["commit"] == made_by]

    def best(self, work: str) -> ScriptSetting | None:
        found = [line for line in self._lines("best") if line.pop("work") == work]
        return ScriptSetting(**found[-1]) if found else None

    def _lines(self, kind: str) -> Iterator[dict[str, Any]]:
        if self._file.exists():
            for text in self._file.read_text(encoding="utf-8").splitlines():
                line = json.loads(text)
                if line.pop("kind") == kind:
                    yield line


def pair_of(line: Mapping[str, Any]) -> Pair:
    """A pair out of its JSON object."""
    measures = {side: Measure(**line[side]) for side in ("script", "foldproof")}
    accuracy = {name: (theirs, ours) for name, (theirs, ours) in line["accuracy"].items()}
    return Pair(**{**line, **measures, "accuracy": accuracy, "arguments": tuple(line["arguments"])})


def printed_json(*arguments: str) -> Any:
    """What `benchmarks.pair` prints. Raises SystemExit where it fails; it has said why."""
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.pair", *arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def setting_called(name: str, work: Work, kept: Kept, more: tuple[str, ...]) -> ScriptSetting:
    """The setting of the script; the best one is searched once a work."""
    if name == works.USUAL.name:
        return works.USUAL
    best = kept.best(work.name)
    if best is None:
        best = ScriptSetting(**printed_json(work.name, "{}", "--search", *more))
        kept.add("best", {"work": work.name, **asdict(best)})
        print(f"{work.name}: the script is fastest with {' '.join(best.arguments)}", flush=True)
    if name == works.FEATURES.name:
        return ScriptSetting(name, best.threads, best.workers, pip_requirements=True, features_once=True)
    return best


def measure_work(work: Work, names: Sequence[str], kept: Kept, wanted: int, tries: int, more: tuple[str, ...]) -> None:
    """Complete the pairs of a work in these settings, as far as the machine lets them count."""
    made_by = commit()
    for name in names:
        setting = setting_called(name, work, kept, more)
        done = kept.pairs(work.name, name, made_by)
        while len(counted(done)) < wanted and len(done) < tries * wanted:
            line = printed_json(work.name, json.dumps(asdict(setting)), str(len(done)), *more)
            kept.add("pair", line)
            done.append(pair_of(line))
            say(done[-1])
        if count := counted(done):
            print(f"{work.name}, {name}: {spread([pair.speed for pair in count])}x, n = {len(count)}", flush=True)


def say(pair: Pair) -> None:
    accuracies = ", ".join(f"{name} {theirs:.3f}/{ours:.3f}" for name, (theirs, ours) in pair.accuracy.items())
    print(
        f"{pair.work}, {pair.setting}, pair {pair.number + 1}: script {pair.script.wall:.1f} s, "
        f"foldproof {pair.foldproof.wall:.1f} s, {pair.speed:.2f}x; "
        f"memory {pair.script.peak_rss / 1e9:.2f} / {pair.foldproof.peak_rss / 1e9:.2f} GB; accuracy {accuracies}"
        + (f"; void: {pair.void}" if pair.void else ""),
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tries", type=int, default=3, help="times the pairs, on a machine that is often busy")
    parser.add_argument("--works", default=",".join(name for name in works.WORKS if name != "tiny"))
    parser.add_argument("--settings", help="of the script, such as usual,best; all where left out")
    parser.add_argument("--photos", type=Path, help="class folders to use instead of drawn photos")
    parser.add_argument("--place", type=Path, default=ROOT / ".bench")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    names = [name for name in options.works.split(",") if name]
    if unknown := set(names) - set(works.WORKS):
        parser.error(f"no work called {', '.join(sorted(unknown))}; known: {', '.join(works.WORKS)}")
    chosen = {
        name: [one for one in settings_of(works.WORKS[name]) if one in (options.settings or one).split(",")]
        for name in names
    }
    place = options.place / (f"photos-{options.photos.name}" if options.photos else "drawn")
    place.mkdir(parents=True, exist_ok=True)
    kept = Kept(place / "measured.jsonl")
    more = ("--place", str(place.resolve()), *(("--photos", str(options.photos.resolve())) if options.photos else ()))
    for name in names:
        measure_work(works.WORKS[name], chosen[name], kept, options.pairs, options.tries, more)
    pairs = [pair for name in names for setting in chosen[name] for pair in kept.pairs(name, setting, commit())]
    for file in write_report(pairs, options.results, photos=options.photos.name if options.photos else None):
        print(file)


if __name__ == "__main__":
    main()
