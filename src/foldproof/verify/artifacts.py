"""Recompute the tables beside the report from stored predictions and report mismatches."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from foldproof import registry
from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import ROPE, compare
from foldproof.analysis.judged import FILE_NAME as JUDGED
from foldproof.analysis.judged import STATISTICS, Judged, state_of
from foldproof.analysis.tables import csv_table, markdown
from foldproof.errors import DamagedFile, FoldproofError
from foldproof.events.types import ArtifactAdded
from foldproof.records.facts import judged_by
from foldproof.records.record import PRIVATE_REPORT_FOLDER, REPORT_FOLDER, RunRecord, fold_ids, read_journal
from foldproof.storage import read_if_there
from foldproof.verify.level import Check, checked, not_here

_MOST_BYTES = 2**30
_MOST_JUDGED = 2**20
_UNRECORDED = "the metric and range that judged them are not recorded"
_GUESSES = tuple((metric, ROPE) for metric in ("auto", *sorted(registry.SEAMS["metrics"])))


def check_files(folder: Path) -> Check:
    """Whether the files that the journals speak of are as they were written; those that were left out are no harm."""
    problems, there, away = [], 0, 0
    for file, sha256 in _added(folder).items():
        try:
            content = read_if_there(folder, file, most_bytes=_MOST_BYTES)
        except DamagedFile as error:
            problems.append(error.what)
            continue
        if content is None:
            away += 1
            continue
        there += 1
        if hashlib.sha256(content).hexdigest() != sha256:
            problems.append(f"{file} is not the file that was written")
    if not there and not problems:
        return not_here("files", "no report or other file of the run is here")
    return checked("files", problems, f"{there} files as they were written" + (f", {away} not here" if away else ""))


def check_tables(record: RunRecord, others: Iterable[Path]) -> Check:
    """Whether the tables beside the report come out again from the predictions, with verdicts and intervals.

    By the metric and range that stand beside them, else by those in run.json, which may be others than the tables were
    made by: a table that does not come out again then says nothing against the record. `others`: folders of runs in
    which those that it was compared with may be.
    """
    by_id = {folder.name: folder for folder in others}
    known = {record.run: (record, Candidate.of(record))}
    looked = [
        _of_table(record, folder, stem, by_id, known)
        for folder in (REPORT_FOLDER, PRIVATE_REPORT_FOLDER)
        for stem in ("folds", "comparison")
    ]
    problems = [problem for one in looked for problem in one.problems]
    unknown = list(dict.fromkeys(why for one in looked for why in one.unknown))
    made = sum(one.made for one in looked)
    if not made and not problems:
        return not_here("tables", "; ".join(unknown) or "none is here")
    ways = " and ".join(dict.fromkeys(one.way for one in looked if one.way))
    beside = f"; not all: {'; '.join(unknown)}" if unknown else ""
    said = f"{made} tables were reproduced{f', by {ways}' if ways else ''}, with intervals and verdicts{beside}"
    return checked("tables", problems, said)


@dataclass(frozen=True)
class _Looked:
    """What came of one table: pages that came out again, by what, what speaks against it, and why it cannot be told."""

    made: int = 0
    way: str = ""
    problems: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def _of_table(
    record: RunRecord, folder: str, stem: str, by_id: Mapping[str, Path], known: dict[str, tuple[RunRecord, Candidate]]
) -> _Looked:
    text = _text(record.folder, f"{folder}/{stem}.csv")
    if text is None:
        return _Looked()
    named = _runs_of(text)
    if not named:
        return _Looked(problems=(f"{folder}/{stem}.csv is no table of runs",))
    if missing := [run for run in named if run not in known and run not in by_id]:
        return _Looked(unknown=(f"it was compared with runs that are not here: {', '.join(missing[:3])}",))
    for run in named:
        if run not in known:
            other = RunRecord.read(by_id[run])
            known[run] = other, Candidate.of(other)
    pages = {f"{folder}/{stem}.csv": text}
    if stem == "comparison" and (page := _text(record.folder, f"{folder}/comparison.md")) is not None:
        pages[f"{folder}/comparison.md"] = page
    candidates = [known[run][1] for run in named]
    judged = _judged(record.folder, folder)
    if judged is None:
        wrong = _not_again(candidates, pages, _ways_of(record))
        unknown = (_UNRECORDED,) if wrong else ()
        return _Looked(made=len(pages) - len(wrong), unknown=unknown)
    if why := _incomparable(judged):
        return _Looked(unknown=(why,))
    way = f"{judged.metric} and a rope of {judged.rope:g}"
    wrong = _not_again(candidates, pages, [(judged.metric, judged.rope)])
    if wrong and (why := _gone_on(judged, [known[run][0] for run in named])):
        return _Looked(made=len(pages) - len(wrong), way=way, unknown=(why,))
    problems = tuple(f"{name} does not follow from the predictions" for name in wrong)
    return _Looked(made=len(pages), way=way, problems=problems)


def _incomparable(judged: Judged) -> str:
    """Why a table cannot be made again here; empty where it can."""
    if judged.statistics != STATISTICS:
        return f"they were made by statistics number {judged.statistics}, here is {STATISTICS}"
    if judged.metric != "auto" and judged.metric not in registry.SEAMS["metrics"]:
        return f"they were judged by code that is not built in: {judged.metric}"
    return ""


def _gone_on(judged: Judged, records: Iterable[RunRecord]) -> str:
    """Which of the runs is not as it was when a table was made of it; empty where all are."""
    for record in records:
        if record.run not in judged.states:
            return f"how far run {record.run} was when they were made is not recorded"
        if judged.states[record.run] != state_of(record):
            return f"run {record.run} has gone on since they were made"
    return ""


def _ways_of(record: RunRecord) -> Iterator[tuple[str, float]]:
    """Metrics and ranges by which tables without `judged.json` may have been made, the likeliest first."""
    said = judged_by(record.facts)
    if said is not None and (said[0] == "auto" or said[0] in registry.SEAMS["metrics"]):
        yield said
    yield from _GUESSES


def _judged(run: Path, folder: str) -> Judged | None:
    """By what the tables in `folder` were judged; None where that was not recorded. Raises DamagedFile."""
    content = read_if_there(run, f"{folder}/{JUDGED}", most_bytes=_MOST_JUDGED)
    return None if content is None else Judged.parse(content)


def _not_again(candidates: list[Candidate], pages: dict[str, str], ways: Iterable[tuple[str, float]]) -> list[str]:
    """The pages that no metric and range of `ways` gives again."""
    left = dict(pages)
    for metric, rope in ways:
        try:
            again = compare(candidates, metric=metric, rope=rope)
        except FoldproofError:
            continue
        made = {csv_table(again), markdown(again)}
        left = {name: text for name, text in left.items() if text not in made}
        if not left:
            break
    return list(left)


def _runs_of(table: str) -> list[str]:
    """The runs that a table names; none where it is none."""
    try:
        rows = list(csv.DictReader(io.StringIO(table, newline="")))
    except csv.Error:
        return []
    return list(dict.fromkeys(str(row.get("run")) for row in rows))


def _text(folder: Path, name: str) -> str | None:
    content = read_if_there(folder, name, most_bytes=_MOST_BYTES)
    return None if content is None else content.decode("utf-8", "replace")


def _added(folder: Path) -> dict[str, str]:
    """The last hash that the journals have of each file."""
    journals = (read_journal(folder, fold_id) for fold_id in (None, *sorted(fold_ids(folder))))
    bodies = (event.body for journal in journals for event in journal)
    return {body.file: body.sha256 for body in bodies if isinstance(body, ArtifactAdded)}
