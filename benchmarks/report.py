"""Pairs in; a dated JSON file and a Markdown page with their ratios, the machine and the versions, out."""

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.parts import PART
from benchmarks.ratios import MOST_OTHERS, Pair, counted, spread
from benchmarks.standings import standings
from benchmarks.works import WORKS
from foldproof.provenance.machine import describe
from foldproof.storage import write_atomically

LIBRARIES = ("foldproof", "torch", "torchvision", "timm", "mlflow", "dvc")
_MACHINE = ("processor", "architecture", "cores_available", "memory_available_bytes", "system", "release", "python")
_HEAD = """\
# foldproof beside others, {date}

{processor}, {cores} cores, {memory:.0f} GB; {system}; Python {python}; {libraries}; commit {commit}.

Whole jobs, from the command to the end of its process, when the last MLflow run is closed; MLflow on SQLite; in rounds,
foldproof in the middle of the others, the order reversed from round to round. A pair is void when other processes took
more than {most:.0%} of the machine's processor time. Ratios of each pair: median (least-most). Above 1, foldproof is
faster or takes less processor time than the other; memory above 1, it takes more. Memory is the peak of resident
memory of all processes, in which a page that several share counts for each. Cold: nothing of these images is cached;
warm: what an earlier run left in `.foldproof/cache` is there, its runs and MLflow's store are not.
*Scaled*: the other ran a part of the work ({part} of the first experiment) and the whole follows from it:
start and end of its process + folds x sum over experiments of (a fold + (its epochs - {epochs}) x an epoch), by the
times in MLflow.
{photos}

"""
_TABLE = """
| work | foldproof | other | n | void | other s | | foldproof s | as fast | processor time | memory | load |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""
_ACCURACIES = """
Mean accuracy over folds at the last epoch, the other's beside foldproof's (medians over pairs; other random numbers):

| work | foldproof | other | experiment | theirs | foldproof |
|---|---|---|---|---|---|
"""


def write_report(pairs: Sequence[Pair], folder: Path, *, photos: str | None) -> list[Path]:
    """`DATE-PROCESSOR.json` and `.md` in `folder`; an earlier report of the same day is replaced.

    Raises SystemExit where no pair counts.
    """
    if not counted(pairs):
        raise SystemExit("no pair counts: the machine was busy all the time")
    machine = describe()
    date = dt.datetime.now(dt.UTC).date().isoformat()
    about = {
        "date": date,
        "commit": ", ".join(sorted({pair.commit for pair in pairs})),
        "machine": {name: machine[name] for name in _MACHINE},
        "versions": {name: version(name) for name in LIBRARIES},
        "photos": photos or "drawn from the sample pictures of scikit-learn",
    }
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{date}-{slug(machine['processor'])}"
    document = {
        "v": 2,
        **about,
        "standings": standings(summaries(pairs)).splitlines(),
        "works": summaries(pairs),
        "pairs": [asdict(pair) for pair in pairs],
    }
    return [
        write_atomically(folder / f"{name}.json", json.dumps(document, indent=1) + "\n"),
        write_atomically(folder / f"{name}.md", page(about, pairs)),
    ]


def slug(processor: str) -> str:
    """A processor's name as part of a file's name."""
    return "-".join(re.findall(r"[a-z0-9]+", processor.lower().replace("(r)", "").replace("(tm)", "")))


def summaries(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """For every work, way and other with a pair that counts, what its pairs amount to."""
    return [
        {
            "work": good[0].work,
            "about": WORKS[good[0].work].about,
            "way": good[0].way,
            "other": good[0].other,
            "arguments": list(good[0].arguments),
            "part": good[0].part,
            "n": len(good),
            "void": void,
            "their_seconds": asdict(spread([pair.theirs.wall for pair in good])),
            "our_seconds": asdict(spread([pair.ours.wall for pair in good])),
            "speed": asdict(spread([pair.speed for pair in good])),
            "processor_time": asdict(spread([pair.processor_time for pair in good])),
            "memory": asdict(spread([pair.memory for pair in good])),
            "load_before": asdict(spread(_loads(good))),
        }
        for good, void in _grouped(pairs)
    ]


def circumstances(about: dict[str, Any]) -> dict[str, Any]:
    """When, on what and with what it was measured, as the heads of the pages name it."""
    machine = about["machine"]
    return {
        "date": about["date"],
        "processor": machine["processor"],
        "cores": machine["cores_available"],
        "memory": machine["memory_available_bytes"] / 2**30,
        "system": f"{machine['system']} {machine['release']}",
        "python": machine["python"],
        "libraries": ", ".join(f"{name} {number}" for name, number in about["versions"].items()),
        "commit": about["commit"],
    }


def page(about: dict[str, Any], pairs: Sequence[Pair]) -> str:
    """The same as Markdown."""
    text = _HEAD.format(
        **circumstances(about),
        most=MOST_OTHERS,
        part=PART,
        epochs=PART.epochs,
        photos=f"Photos: {about['photos']}.",
    )
    lines, accuracies = [], []
    for good, void in _grouped(pairs):
        first = good[0]
        spreads = (
            spread([pair.ours.wall for pair in good]),
            spread([pair.speed for pair in good]),
            spread([pair.processor_time for pair in good]),
            spread([pair.memory for pair in good]),
            spread(_loads(good)),
        )
        called = f"{first.other}: `{' '.join(first.arguments)}`"
        theirs = (spread([pair.theirs.wall for pair in good]), f"scaled from {first.part}" if first.part else "exact")
        cells = (first.work, first.way, called, len(good), void, *theirs, *spreads)
        lines.append("| " + " | ".join(map(str, cells)) + " |\n")
        for name in first.accuracy:
            both = [spread([pair.accuracy[name][side] for pair in good]).median for side in (0, 1)]
            accuracies.append(
                f"| {first.work} | {first.way} | {first.other} | {name} | {both[0]:.4f} | {both[1]:.4f} |\n"
            )
    works = "".join(f"- {name}: {WORKS[name].about}\n" for name in dict.fromkeys(pair.work for pair in pairs))
    return (
        text + works + "\n" + standings(summaries(pairs)) + _TABLE + "".join(lines) + _ACCURACIES + "".join(accuracies)
    )


def _loads(pairs: Sequence[Pair]) -> list[float]:
    return [measure.load for pair in pairs for measure in (pair.theirs, pair.ours)]


def _grouped(pairs: Sequence[Pair]) -> list[tuple[list[Pair], int]]:
    """Those of one work, way, other and part, where any counts; and how many are void."""
    groups: dict[tuple[str, ...], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.work, pair.way, pair.other, pair.part), []).append(pair)
    return [(good, len(every) - len(good)) for every in groups.values() if (good := counted(every))]
