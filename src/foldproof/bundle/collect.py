"""Collect the files of a run that belong in a bundle, by their names in it."""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from foldproof.errors import DamagedFile
from foldproof.records.facts import HELD_OUT, read_facts
from foldproof.records.record import REPORT_FOLDER, fold_ids
from foldproof.storage import read_inside

RECORD = ("run.json", "events.jsonl", "environment.json", "dataset.json", "folds.csv", HELD_OUT, "code.diff")
CARDS = ("data-card.json", "data-card.md")
OF_FOLD = ("events.jsonl", "steps.f32", "predictions.parquet")
WEIGHTS = ("model.safetensors", "initial.safetensors")
COMPANY = ("run.json", "events.jsonl")
COMPANY_OF_FOLD = ("events.jsonl", "predictions.parquet")
_MOST_BYTES = 8 * 2**30


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """What goes into a bundle beside the record, whether it may tell whose it is, and what becomes of texts that look
    like secrets.
    """

    images: bool = False
    weights: bool = False
    states: bool = False
    anonymous: bool = False
    secrets: Literal["refuse", "leave out of code", "keep"] = "refuse"


def collect_run(folder: Path, wanted: BundleContents) -> Iterator[tuple[str, bytes]]:
    """The record of a run: (name below its folder, content). Raises DamagedFile."""
    names = [*RECORD, *CARDS, *sorted(path.name for path in folder.glob("environment-*.json"))]
    report = folder / REPORT_FOLDER
    names += sorted(path.relative_to(folder).as_posix() for path in report.rglob("*") if path.is_file())
    for fold_id in sorted(fold_ids(folder)):
        within = fold_id.folder_name
        names += [f"{within}/{name}" for name in (*OF_FOLD, *(WEIGHTS if wanted.weights else ()))]
        if wanted.states:
            names += sorted(f"{within}/{path.name}" for path in (folder / within).glob("state-*"))
    yield from _read(folder, names)


def collect_sibling(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The least of a related run that shows its result: its journals and its predictions."""
    names = list(COMPANY)
    for fold_id in sorted(fold_ids(folder)):
        names += [f"{fold_id.folder_name}/{name}" for name in COMPANY_OF_FOLD]
    yield from _read(folder, names)


def company_of(folder: Path, others: Mapping[str, Path]) -> tuple[Path, ...]:
    """Runs of the same experiment, and those that it was compared with. `others`: folders by run id."""
    facts = read_facts(folder)
    compared = _compared_with(folder)
    found = []
    for run, path in sorted(others.items()):
        if path == folder:
            continue
        try:
            their = read_facts(path)
        except DamagedFile:
            continue
        same = their["experiment"] == facts["experiment"] or their["identity"] == facts["identity"]
        if same or run in compared:
            found.append(path)
    return tuple(found)


def _compared_with(folder: Path) -> set[str]:
    try:
        text = read_inside(folder, f"{REPORT_FOLDER}/comparison.csv", most_bytes=_MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return set()
    with suppress(csv.Error):
        return {str(row.get("run")) for row in csv.DictReader(io.StringIO(text, newline=""))}
    return set()


def _read(folder: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        try:
            yield name, read_inside(folder, name, most_bytes=_MOST_BYTES)
        except FileNotFoundError:
            continue
