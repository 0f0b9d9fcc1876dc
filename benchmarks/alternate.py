"""Time against others: works in; rounds in alternation, kept pair by pair, and a dated report, out.

    python -m benchmarks.alternate [--pairs 5] [--works digits] [--sides usual,lightning] [--part all] [--photos FOLDER]

A round is a process of its own: every side that still lacks pairs runs once, foldproof in the middle, the order
reversed from round to round. Its pairs are kept in `.bench`: what was interrupted goes on where it was. A pair during
which other processes were busy is void and done again, up to `--tries` times as many as asked for. A job is timed from
its command to the end of its process, when every MLflow run is closed; each begins with a fresh SQLite store. Slow
sides may run a part of a work (`--part`); the report says which, and by what rule the whole follows.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.campaign import Campaign
from benchmarks.estimate import estimated
from benchmarks.kept import Kept, pair_of
from benchmarks.others import OTHERS
from benchmarks.parts import PART
from benchmarks.ratios import Pair, counted, spread
from benchmarks.report import write_report
from benchmarks.round import commit
from benchmarks.works import WORKS, Work

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"


def printed(*arguments: str) -> list[Any]:
    """What `benchmarks.round` prints. Raises SystemExit where it fails; it has said why."""
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.round", *arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return [json.loads(line) for line in done.stdout.splitlines()]


def searched(work: Work, other: str, kept: Kept, more: tuple[str, ...]) -> tuple[str, ...]:
    """The fastest of the arguments that it may be given; looked for once a work."""
    other = OTHERS[other].as_found_for or other
    if not OTHERS[other].searched:
        return ()
    found = kept.found(work.name, other)
    if found is None:
        (line,) = printed(work.name, "{}", "--search", other, *more)
        kept.add("search", {"work": work.name, "other": other, "found": line})
        found = tuple(line)
        print(f"{work.name}: {other} is fastest with {' '.join(found)}", flush=True)
    return found


def measure_work(work: Work, campaign: Campaign, kept: Kept) -> None:
    """Complete the pairs of a work, as far as the machine lets them count."""
    made_by = commit()
    number = 1 + max((pair.number for pair in kept.pairs(made_by) if pair.work == work.name), default=-1)
    while others := campaign.lacking(work, wanted(kept, campaign, made_by)):
        arguments = {other: searched(work, other, kept, campaign.more) for other in others}
        parts = ",".join(other for other in others if campaign.part(other))
        chosen = ("--part", parts, "--ways", ",".join(campaign.ways_of(work)))
        for line in printed(work.name, json.dumps(arguments), str(number), *chosen, *campaign.more):
            if line["commit"] != made_by:
                raise SystemExit(f"the code changed from {made_by} to {line['commit']}: begin again")
            kept.add("pair", line)
            say(pair_of(line))
        number += 1


def wanted(kept: Kept, campaign: Campaign, made_by: str | None) -> list[Pair]:
    return [pair for pair in kept.pairs(made_by) if campaign.wants(pair)]


def say(pair: Pair) -> None:
    accuracies = ", ".join(f"{name} {theirs:.3f}/{ours:.3f}" for name, (theirs, ours) in pair.accuracy.items())
    print(
        f"{pair.work}, {pair.other}{' (scaled from ' + pair.part + ')' if pair.part else ''}, "
        f"pair {pair.number + 1}: {pair.theirs.wall:.1f} s, foldproof {pair.way} {pair.ours.wall:.1f} s, "
        f"{pair.speed:.2f}x; processor time {pair.processor_time:.2f}x; "
        f"memory {pair.theirs.peak_rss / 1e9:.2f} / {pair.ours.peak_rss / 1e9:.2f} GB"
        + (f"; accuracy {accuracies}" if accuracies else "")
        + (f"; void: {pair.void}" if pair.void else ""),
        flush=True,
    )


def names_in(text: str | None) -> tuple[str, ...]:
    return tuple(name for name in (text or "").split(",") if name)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tries", type=int, default=3, help="times the pairs, on a machine that is often busy")
    parser.add_argument("--works", default=",".join(name for name in WORKS if not name.startswith("tiny")))
    parser.add_argument("--sides", help=f"all where left out: {','.join(OTHERS)}")
    parser.add_argument("--ways", help="of foldproof, such as cold,warm; all where left out")
    parser.add_argument("--part", help=f"sides that run a part ({PART} of the first experiment), or all")
    parser.add_argument("--photos", type=Path, help="class folders to use instead of drawn photos")
    parser.add_argument("--place", type=Path, default=ROOT / ".bench")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--estimate", action="store_true", help="say how long it would take, and do nothing")
    options = parser.parse_args()
    known = {"works": WORKS, "sides": OTHERS, "part": ["all", *OTHERS]}
    for option, names in known.items():
        if unknown := set(names_in(getattr(options, option))) - set(names):
            parser.error(f"--{option}: no {', '.join(sorted(unknown))}; known: {', '.join(names)}")
    return options


def main() -> None:
    options = parsed()
    place = options.place / (f"photos-{options.photos.name}" if options.photos else "drawn")
    place.mkdir(parents=True, exist_ok=True)
    kept = Kept(place / "measured.jsonl")
    campaign = Campaign(
        works=tuple(WORKS[name] for name in names_in(options.works)),
        sides=names_in(options.sides),
        ways=names_in(options.ways),
        parts=names_in(options.part),
        pairs=options.pairs,
        tries=options.tries,
        more=(
            "--place",
            str(place.resolve()),
            *(("--photos", str(options.photos.resolve())) if options.photos else ()),
        ),
    )
    made_by = commit()
    done = wanted(kept, campaign, made_by)
    lacking = {work.name: campaign.lacking(work, done) for work in campaign.works}
    print(estimated(campaign, lacking, done, kept.pairs()), flush=True)
    if options.estimate:
        return
    for work in campaign.works:
        measure_work(work, campaign, kept)
        for way in campaign.ways_of(work):
            for other in campaign.others(work):
                pairs = [pair for pair in wanted(kept, campaign, made_by) if pair.work == work.name]
                speeds = [pair.speed for pair in counted(pairs) if (pair.way, pair.other) == (way, other)]
                if speeds:
                    print(f"{work.name}, {way} beside {other}: {spread(speeds)}x, n = {len(speeds)}", flush=True)
    everything = [pair for pair in kept.pairs(made_by) if not pair.work.startswith("tiny") or campaign.wants(pair)]
    for file in write_report(everything, options.results, photos=options.photos.name if options.photos else None):
        print(file)


if __name__ == "__main__":
    main()
