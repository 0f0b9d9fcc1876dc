"""Whether what was made of a run for people says what its predictions say: a record in, checks out."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from foldproof import registry
from foldproof.analysis.compare import ROPE, compare
from foldproof.analysis.contender import Contender
from foldproof.analysis.tables import csv_table, markdown
from foldproof.errors import DamagedFile, FoldproofError
from foldproof.events.types import ArtifactAdded
from foldproof.record import PRIVATE_REPORT_FOLDER, REPORT_FOLDER, RunRecord, places, read_journal
from foldproof.storage import read_inside
from foldproof.verify.rung import Check, checked, not_here

_MOST_BYTES = 2**30


def of_files(folder: Path) -> Check:
    """Whether the files that the journals speak of are as they were written; those that were left out are no harm."""
    problems, there, away = [], 0, 0
    for file, sha256 in _added(folder).items():
        try:
            content = read_inside(folder, file, most_bytes=_MOST_BYTES)
        except FileNotFoundError:
            away += 1
            continue
        except DamagedFile as error:
            problems.append(error.what)
            continue
        there += 1
        if hashlib.sha256(content).hexdigest() != sha256:
            problems.append(f"{file} is not the file that was written")
    if not there and not problems:
        return not_here("files", "no report or other file of the run is here")
    return checked("files", problems, f"{there} files as they were written" + (f", {away} not here" if away else ""))


def of_tables(record: RunRecord, others: Iterable[Path], *, rope: float) -> Check:
    """Whether the tables beside the report come out again from the predictions, with verdicts and intervals.

    `others`: folders of runs in which those that it was compared with may be.
    """
    contenders: dict[str, Contender] = {}
    by_id = {folder.name: folder for folder in others}
    problems, made, lacking = list[str](), 0, list[str]()
    for folder in (REPORT_FOLDER, PRIVATE_REPORT_FOLDER):
        for stem in ("folds", "comparison"):
            text = _text(record.folder, f"{folder}/{stem}.csv")
            if text is None:
                continue
            named = _runs_of(text)
            if not named:
                problems.append(f"{folder}/{stem}.csv is no table of runs")
                continue
            runs = [run for run in named if run != record.run]
            missing = [run for run in runs if run not in by_id]
            if missing:
                lacking += missing
                continue
            for run in runs:
                contenders.setdefault(run, Contender.of(RunRecord.read(by_id[run])))
            of_run = Contender.of(record)
            chosen = [of_run if run == record.run else contenders[run] for run in named]
            pages = {f"{folder}/{stem}.csv": text}
            if stem == "comparison" and (page := _text(record.folder, f"{folder}/comparison.md")) is not None:
                pages[f"{folder}/comparison.md"] = page
            wrong = _not_again(chosen, pages, rope=rope)
            problems += [f"{name} does not come out again from the predictions" for name in wrong]
            made += len(pages)
    if not made and not problems:
        why = f"it was compared with runs that are not here: {', '.join(lacking[:3])}" if lacking else "none is here"
        return not_here("tables", why)
    beside = f"; not those with {', '.join(dict.fromkeys(lacking))}, not here" if lacking else ""
    return checked("tables", problems, f"{made} tables came out again, with intervals and verdicts{beside}")


def _not_again(contenders: list[Contender], pages: dict[str, str], *, rope: float) -> list[str]:
    """The pages that no metric that is built in gives again."""
    left = dict(pages)
    for metric in ("auto", *sorted(registry.SEAMS["metrics"])):
        for within in dict.fromkeys((rope, ROPE)):
            try:
                again = compare(contenders, metric=metric, rope=within)
            except FoldproofError:
                continue
            made = {csv_table(again), markdown(again)}
            left = {name: text for name, text in left.items() if text not in made}
            if not left:
                return []
    return list(left)


def _runs_of(table: str) -> list[str]:
    """The runs that a table names; none where it is none."""
    try:
        rows = list(csv.DictReader(io.StringIO(table, newline="")))
    except csv.Error:
        return []
    return list(dict.fromkeys(str(row.get("run")) for row in rows))


def _text(folder: Path, name: str) -> str | None:
    try:
        return read_inside(folder, name, most_bytes=_MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def _added(folder: Path) -> dict[str, str]:
    """The last hash that the journals have of each file."""
    return {body.file: body.sha256 for body in _artifacts(folder)}


def _artifacts(folder: Path) -> Iterator[ArtifactAdded]:
    for place in (None, *sorted(places(folder))):
        yield from (event.body for event in read_journal(folder, place) if isinstance(event.body, ArtifactAdded))
