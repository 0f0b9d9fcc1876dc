"""Pairs in; a dated JSON file and a Markdown page with their ratios, the machine and the versions, out."""

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.ratios import MOST_OTHERS, Pair, counted, spread
from benchmarks.works import WORKS
from foldproof.provenance.machine import describe
from foldproof.storage import write_atomically

LIBRARIES = ("foldproof", "torch", "torchvision", "timm", "mlflow", "dvc")
_MACHINE = ("processor", "architecture", "cores_available", "memory_available_bytes", "system", "release", "python")
_HEAD = """\
# foldproof beside the usual script, {date}

{processor}, {cores} cores, {memory:.0f} GB; {system}; Python {python}; {libraries}; commit {commit}.

Whole jobs, from the command to the end of its process, when the last MLflow run is closed; MLflow on SQLite; without
caches; in alternation (A B B A). A pair is void when other processes took more than {most:.0%} of the machine's
processor time. Ratios of each pair: median (least-most). Above 1, foldproof is faster or takes less
processor time than the script; memory above 1, it takes more.
Memory is the peak of resident memory of all processes, in which a page that several share counts for each.
{photos}

| work | the script's setting | n | void | script s | foldproof s | as fast | processor time | memory | load |
|---|---|---|---|---|---|---|---|---|---|
"""
_ACCURACIES = """
Mean accuracy over folds at the last epoch, the script's beside foldproof's (medians over pairs; other random numbers):

| work | the script's setting | experiment | script | foldproof |
|---|---|---|---|---|
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
    document = {"v": 1, **about, "works": summaries(pairs), "pairs": [asdict(pair) for pair in pairs]}
    return [
        write_atomically(folder / f"{name}.json", json.dumps(document, indent=1) + "\n"),
        write_atomically(folder / f"{name}.md", page(about, pairs)),
    ]


def slug(processor: str) -> str:
    """A processor's name as part of a file's name."""
    return "-".join(re.findall(r"[a-z0-9]+", processor.lower().replace("(r)", "").replace("(tm)", "")))


def summaries(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """For every work and setting with a pair that counts, what its pairs amount to."""
    return [
        {
            "work": work,
            "about": WORKS[work].about,
            "setting": setting,
            "arguments": list(good[0].arguments),
            "n": len(good),
            "void": void,
            "script_seconds": asdict(spread([pair.script.wall for pair in good])),
            "foldproof_seconds": asdict(spread([pair.foldproof.wall for pair in good])),
            "speed": asdict(spread([pair.speed for pair in good])),
            "processor_time": asdict(spread([pair.processor_time for pair in good])),
            "memory": asdict(spread([pair.memory for pair in good])),
            "load_before": asdict(spread(_loads(good))),
        }
        for work, setting, good, void in _grouped(pairs)
    ]


def page(about: dict[str, Any], pairs: Sequence[Pair]) -> str:
    """The same as Markdown."""
    machine = about["machine"]
    text = _HEAD.format(
        date=about["date"],
        processor=machine["processor"],
        cores=machine["cores_available"],
        memory=machine["memory_available_bytes"] / 2**30,
        system=f"{machine['system']} {machine['release']}",
        python=machine["python"],
        libraries=", ".join(f"{name} {number}" for name, number in about["versions"].items()),
        commit=about["commit"],
        most=MOST_OTHERS,
        photos=f"Photos: {about['photos']}.",
    )
    lines, accuracies = [], []
    for work, setting, good, void in _grouped(pairs):
        spreads = (
            spread([pair.script.wall for pair in good]),
            spread([pair.foldproof.wall for pair in good]),
            spread([pair.speed for pair in good]),
            spread([pair.processor_time for pair in good]),
            spread([pair.memory for pair in good]),
            spread(_loads(good)),
        )
        called = f"{setting}: `{' '.join(good[0].arguments)}`"
        cells = (f"{work}: {WORKS[work].about}", called, len(good), void, *spreads)
        lines.append("| " + " | ".join(map(str, cells)) + " |\n")
        for name in good[0].accuracy:
            both = [spread([pair.accuracy[name][side] for pair in good]).median for side in (0, 1)]
            accuracies.append(f"| {work} | {setting} | {name} | {both[0]:.4f} | {both[1]:.4f} |\n")
    return text + "".join(lines) + _ACCURACIES + "".join(accuracies)


def _loads(pairs: Sequence[Pair]) -> list[float]:
    return [measure.load for pair in pairs for measure in (pair.script, pair.foldproof)]


def _grouped(pairs: Sequence[Pair]) -> list[tuple[str, str, list[Pair], int]]:
    found = []
    for (work, setting), some in groupby(pairs, key=lambda pair: (pair.work, pair.setting)):
        every = list(some)
        if good := counted(every):
            found.append((work, setting, good, len(every) - len(good)))
    return found
