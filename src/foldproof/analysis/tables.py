"""Render a comparison as tables for a paper, a repository or a spreadsheet: Markdown, LaTeX, CSV. Pure."""

import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from foldproof.analysis.comparison import Comparison, Estimate, Line, Pair
from foldproof.analysis.verdict import BETTER, MetricUnit, names_of, too_few, winner_of
from foldproof.events.fold_id import FoldId
from foldproof.metrics import metric_of

Cells: TypeAlias = Sequence[Sequence[str]]  # the first row is the header
_FORMULA = tuple("=+-@\t\r")


def experiments_table(comparison: Comparison) -> list[list[str]]:
    """A row an experiment: what differs, average with its interval, spread, folds. The first row is the header."""
    unit = MetricUnit.of(comparison.metric)
    settings = [key.removeprefix("train.") for key in comparison.differing]
    rows = [["experiment", *settings, comparison.metric, "95 % interval", "sd", "best epoch (optimistic)", "folds"]]
    for name, line in zip(names_of(comparison.lines), comparison.lines, strict=True):
        rows.append(
            [
                name,
                *(str(line.settings.get(key, "")) for key in comparison.differing),
                unit.score(line.score.mean),
                _bounds(line.interval, unit),
                unit.score(line.score.sd),
                f"{100 * line.best_epoch_accuracy.mean:.2f} %" if line.best_epoch_accuracy.n else "-",
                f"{len(line.folds)}/{line.expected_folds}",
            ]
        )
    return rows


def folds_table(comparison: Comparison) -> list[list[str]]:
    """A row an experiment, a column a fold; a fold that disagrees with the others is marked with `!`."""
    unit, lines = MetricUnit.of(comparison.metric), comparison.lines
    fold_ids = sorted({fold_id for line in lines for fold_id in line.folds})
    repeats = len({repeat for repeat, _ in fold_ids})
    title = f"{metric_of(comparison.metric).title} by fold" + (", %" if unit.is_fraction else "")
    rows = [[title, *(fold_id.short(repeats=repeats) for fold_id in fold_ids)]]
    for name, line in zip(names_of(lines), lines, strict=True):
        odd = line.disagreement.fold_id if line.disagreement and line.disagreement.flagged else None
        cells = [
            unit.plain(line.folds.get(fold_id, math.nan)) + (" !" if fold_id == odd else "") for fold_id in fold_ids
        ]
        rows.append([name, *cells])
    return rows


def pairs_table(comparison: Comparison, pairs: Sequence[Pair]) -> list[list[str]]:
    """A row a pair: difference of the first minus the second with its interval, probabilities, verdict."""
    unit, names = MetricUnit.of(comparison.metric), names_of(comparison.lines)
    rows = [["pair", f"difference ({unit.name})", "95 % interval", "p (Holm)", "worse / equal / better", "verdict"]]
    for pair in pairs:
        chances = (pair.worse, pair.equal, pair.better)
        known = not math.isnan(pair.p)
        rows.append(
            [
                f"{names[pair.a]} - {names[pair.b]}",
                _signed(pair.difference.value, unit),
                _interval(pair, comparison.metric) if known else "-",
                f"{pair.adjusted:.3f}" if known else "-",
                " / ".join(f"{chance:.2f}" for chance in chances) if known else "-",
                short_verdict(pair),
            ]
        )
    return rows


def _interval(pair: Pair, metric: str) -> str:
    low, high, unit = pair.difference.low, pair.difference.high, MetricUnit.of(metric)
    if high - low >= 2 * metric_of(metric).most_apart:
        return too_few(pair)
    return f"{_signed(low, unit)} to {_signed(high, unit)}"


def short_verdict(pair: Pair) -> str:
    """A pair's verdict in a few words: what its figures say of the first."""
    if pair.verdict is None:
        return ""
    if pair.not_comparable:
        return pair.verdict.text
    won = winner_of(pair)
    return pair.verdict.finding.replace(BETTER, "worse") if won and won[0] == pair.b else pair.verdict.finding


def telling_pairs(comparison: Comparison, most: int = 15) -> tuple[Pair, ...]:
    """All pairs where they are few, else those with the best average."""
    if len(comparison.pairs) <= most:
        return comparison.pairs
    higher = all(pair.higher_is_better for pair in comparison.pairs)
    known = [at for at, line in enumerate(comparison.lines) if not math.isnan(line.score.mean)]
    if not known:
        return comparison.pairs[:most]
    best = (max if higher else min)(known, key=lambda at: comparison.lines[at].score.mean)
    return tuple(pair for pair in comparison.pairs if best in (pair.a, pair.b))


def _signed(value: float, unit: MetricUnit) -> str:
    return "-" if math.isnan(value) else f"{'+' if value > 0 else ''}{unit.number(value)}"


def _bounds(interval: Estimate, unit: MetricUnit) -> str:
    if math.isnan(interval.low):
        return "-"
    return f"{unit.score(interval.low)} to {unit.score(interval.high)}"


def markdown(comparison: Comparison) -> str:
    """The verdict and the three tables."""
    return _document(comparison, _markdown_table, _markdown_text, heading="## ")


def latex(comparison: Comparison) -> str:
    """The verdict as text and the three tables as `tabular`."""
    return _document(comparison, _latex_table, _latex_text, heading="% ")


def _document(
    comparison: Comparison, table: Callable[[Cells], str], text: Callable[[str], str], *, heading: str
) -> str:
    verdict = comparison.verdict
    said = [text(verdict.text), *(f"- {text(note)}" for note in verdict.notes)] if verdict else []
    parts = ["\n".join(said)] if said else []
    for title, cells in (
        ("Experiments", experiments_table(comparison)),
        (f"{comparison.metric} by fold", folds_table(comparison)),
        ("Pairs", pairs_table(comparison, telling_pairs(comparison))),
    ):
        if len(cells) > 1:
            parts += [f"{heading}{title}", table(cells)]
    return "\n\n".join(parts) + "\n"


def _markdown_table(cells: Cells) -> str:
    head, *rows = [[_markdown_text(cell) for cell in row] for row in cells]
    ruler = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *rows))


def _markdown_text(text: str) -> str:
    return re.sub(r"([\\`*{}\[\]<>|#~$!]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(text.split()))


def _latex_table(cells: Cells) -> str:
    head, *rows = [[_latex_text(cell) for cell in row] for row in cells]
    lines = [("{}" if row[0].startswith("[") else "") + " & ".join(row) + r" \\" for row in (head, *rows)]
    body = "\n".join([lines[0], r"\hline", *lines[1:]])
    return f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}\n{body}\n\\end{{tabular}}"


_LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}


def _latex_text(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))


def csv_table(comparison: Comparison) -> str:
    """A row a fold of an experiment, with what differs: figures as they are, for a spreadsheet or a program."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    metrics = dict.fromkeys((comparison.metric, "accuracy"))
    writer.writerow(["experiment", "run", *comparison.differing, "repeat", "fold", *metrics, "images of the run"])
    for line in comparison.lines:
        for fold_id in sorted({*line.folds, *line.accuracy_by_fold}):
            writer.writerow(_csv_row(comparison, line, fold_id))
    return made.getvalue()


def _csv_row(comparison: Comparison, line: Line, fold_id: FoldId) -> list[str]:
    scores = [line.folds.get(fold_id)]
    scores += [line.accuracy_by_fold.get(fold_id)] if comparison.metric != "accuracy" else []
    return [
        _no_formula(line.experiment),
        _no_formula(line.run),
        *(_no_formula(str(line.settings.get(key, ""))) for key in comparison.differing),
        str(fold_id.repeat),
        str(fold_id.fold),
        *("" if score is None or math.isnan(score) else repr(score) for score in scores),
        "" if line.images is None else str(line.images),
    ]


def _no_formula(text: str) -> str:
    """Text that a spreadsheet does not run."""
    return "'" + text if text.startswith(_FORMULA) else text
