"""Read a CSV from another program into candidates: scores of folds, or predictions image by image.

Scores: `experiment, fold, score`, and where there are any `repeat` and `n` (images of the fold).
Predictions: `id, fold, label` and a column a class with its probability, and where there are any `experiment`, `repeat`
and `group`.
"""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.foreign.scores import MOST_FOLDS, FoldScore, candidates_of_scores, one_scale
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.scoring import ACCURACY, fold_scores, rows_by_fold
from foldproof.analysis.summary import Summary
from foldproof.data.tables.table import table_of
from foldproof.errors import DamagedFile, DataError
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread
from foldproof.storage import cleaned

SCORES = ("experiment", "fold", "score")
PREDICTIONS = ("id", "fold", "label")
_KNOWN = ("experiment", "repeat", "fold", "id", "label", "group", "path")
_SLACK = 0.02  # rounded probabilities add up to this near 1
Row = Mapping[str, str]


def candidates_of_csv(content: str | bytes, *, name: str) -> tuple[list[Candidate], str]:
    """The candidates of a table called `name`, and what could not be checked of them or was assumed.

    Raises DamagedFile, with the line, where it is no such table.
    """
    rows, assumed = _rows(content, name)
    read = "".join(f"; {part}" for part in assumed)
    columns = tuple(rows[0][1]) if rows else ()
    if set(SCORES) <= set(columns):
        scores, scale = one_scale([_score(row, name, line) for line, row in rows], name)
        unverified = f"only scores of folds are known ({name}{scale}); that all had the same images and folds"
        return candidates_of_scores(scores, metric=ACCURACY), f"{unverified} is not verified{read}"
    if set(PREDICTIONS) <= set(columns):
        return _of_predictions(rows, columns, name), f"predictions as {name} has them{read}"
    raise DamagedFile(
        f"{name} has the columns {', '.join(columns) or '(none)'}",
        next_step="wanted: experiment, fold, score (and n, its images); or id, fold, label and a column a class",
    )


def _rows(content: str | bytes, name: str) -> tuple[list[tuple[int, Row]], tuple[str, ...]]:
    """Each row with its line, by known columns in lower case; and how the table was read."""
    try:
        table = table_of(content.encode() if isinstance(content, str) else content, name=name)
    except DataError as error:
        raise DamagedFile(error.what, next_step=error.next_step) from error
    small = [column.lower() for column in table.columns]
    known = _KNOWN if set(PREDICTIONS) <= set(small) else (*_KNOWN, "score", "n")  # which may be classes
    lowered = [column.lower() if column.lower() in known else column for column in table.columns]
    if len(set(lowered)) < len(lowered):
        raise DamagedFile(f"{name} has a column twice", next_step="give every column a name of its own")
    if not table.rows:
        raise DamagedFile(f"{name} has no rows", next_step="a row a fold: experiment, fold, score")
    rows: list[Row] = [dict(zip(lowered, cells, strict=True)) for cells in table.rows]
    return list(zip(table.lines, rows, strict=True)), table.assumed


def _score(row: Row, name: str, line: int) -> FoldScore:
    images = row.get("n", "")
    return FoldScore(
        experiment=row["experiment"] or "(no name)",
        repeat=_number(row.get("repeat") or "0", name, line, "repeat"),
        fold=_number(row["fold"], name, line, "fold"),
        score=_percentage(row["score"], name, line),
        images=_number(images, name, line, "n") if images else None,
        is_percentage=row["score"].endswith("%"),
    )


def _number(text: str, name: str, line: int, column: str) -> int:
    """A whole number, or the one that a name such as `fold_3` ends with."""
    match = re.fullmatch(r"\D*?(\d{1,12})(?:\.0*)?", text)
    if match is None:
        raise _mistake(name, line, f"{column} {cleaned(repr(text), most=60)} is not a number")
    number = int(match[1])
    if column != "n" and number > MOST_FOLDS:
        raise _mistake(name, line, f"{column} {number} is above {MOST_FOLDS}")
    return number


def _percentage(text: str, name: str, line: int) -> float:
    """A score as written; `49.42 %` is 49.42, and nothing, or nan, is a fold without a score."""
    bare = text.removesuffix("%").strip()
    if bare.lower() in ("", "nan", "na", "-"):
        return math.nan
    return _float(bare, name, line, "score")


def _float(text: str, name: str, line: int, column: str) -> float:
    comma = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    try:
        value = float(comma)
    except ValueError:
        raise _mistake(name, line, f"{column} {cleaned(repr(text), most=60)} is not a number") from None
    if not math.isfinite(value):
        raise _mistake(name, line, f"{column} is {value}")
    return value


def _of_predictions(rows: Sequence[tuple[int, Row]], columns: Sequence[str], name: str) -> list[Candidate]:
    classes = tuple(sorted(column for column in columns if column not in _KNOWN))
    if len(classes) < 2:
        raise DamagedFile(
            f"{name} has the probabilities of {len(classes)} classes", next_step="a column a class, named as in `label`"
        )
    by_experiment: dict[str, list[tuple[int, Row]]] = {}
    for line, row in rows:
        by_experiment.setdefault(cleaned(row.get("experiment") or name, most=100), []).append((line, row))
    return [candidate_of(title, _table(some, classes, name)) for title, some in by_experiment.items()]


def _table(rows: Sequence[tuple[int, Row]], classes: tuple[str, ...], name: str) -> OutOfFold:
    number = {label: position for position, label in enumerate(classes)}
    seen: set[tuple[int, str]] = set()
    for line, row in rows:
        if row["label"] not in number:
            raise _mistake(name, line, f"label {cleaned(repr(row['label']), most=60)} has no column")
        key = _number(row.get("repeat") or "0", name, line, "repeat"), row["id"]
        if key in seen:
            raise _mistake(name, line, f"id {cleaned(repr(row['id']), most=60)} appears twice")
        seen.add(key)
    probabilities = np.array(
        [[_float(row[label], name, line, label) for label in classes] for line, row in rows], dtype=np.float32
    )
    wrong = np.flatnonzero((probabilities.min(axis=1) < 0) | (np.abs(probabilities.sum(axis=1) - 1) > _SLACK))
    if len(wrong):
        line = rows[int(wrong[0])][0]
        raise _mistake(name, line, f"{', '.join(classes)} are not probabilities that add up to 1"[:300])
    return OutOfFold(
        classes=classes,
        paths=np.array([row.get("path") or row["id"] for _, row in rows], dtype=np.str_),
        sha256=np.array([row["id"] for _, row in rows], dtype=np.str_),
        groups=np.array([row.get("group", "") for _, row in rows], dtype=np.str_),
        labels=np.array([number[row["label"]] for _, row in rows], dtype=np.int64),
        repeats=np.array([_number(row.get("repeat") or "0", name, line, "repeat") for line, row in rows]),
        folds=np.array([_number(row["fold"], name, line, "fold") for line, row in rows]),
        probabilities=probabilities,
    )


def candidate_of(name: str, table: OutOfFold) -> Candidate:
    """What can be held against others where a table of out-of-fold predictions is all there is."""
    scores: Mapping[FoldId, float] = fold_scores(table, ACCURACY)
    repeats = len({repeat for repeat, _ in scores})
    summary = Summary(
        run=name,
        experiment=name,
        status="finished",
        k=max(round(len(scores) / repeats), 2),
        repeats=repeats,
        accuracy=Spread.of(scores.values()),
        accuracy_by_fold=scores,
        images_by_fold={fold_id: len(rows) for fold_id, rows in rows_by_fold(table)},
    )
    return Candidate(summary, table)


def _mistake(name: str, line: int, what: str) -> DamagedFile:
    return DamagedFile(f"{name}, line {line}: {what}", next_step="fix the line, or leave it out")
