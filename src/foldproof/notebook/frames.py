"""Turn records and comparisons into pandas tables, with the columns and units of the values."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from foldproof.analysis.comparison import Comparison
from foldproof.analysis.out_of_fold import read_out_of_fold
from foldproof.analysis.summary import Summary
from foldproof.analysis.verdict import names_of
from foldproof.errors import FoldproofError
from foldproof.predict.rows import Labelled, columns
from foldproof.records.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd


def tabulate_predictions(record: RunRecord) -> "pd.DataFrame":
    """A row an image and repeat. Raises DamagedFile where predictions are not those that the journals speak of."""
    found = read_out_of_fold(record)
    return _pandas().DataFrame(
        {
            "path": found.paths,
            "sha256": found.sha256,
            "group": found.groups,
            "repeat": found.repeats,
            "fold": found.folds,
            "label": [found.classes[number] for number in found.labels],
            "predicted": [found.classes[number] for number in found.predicted],
            **{f"p_{name}": found.probabilities[:, number] for number, name in enumerate(found.classes)},
        }
    )


def labels(rows: Sequence[Labelled], classes: Sequence[str]) -> "pd.DataFrame":
    """A row an image; `seen` is missing where it is not known."""
    probabilities = np.array([row.probabilities for row in rows], dtype=np.float32).reshape(-1, len(classes))
    pandas = _pandas()
    values = (
        [row.path for row in rows],
        [classes[row.number] for row in rows],
        np.array([row.probability for row in rows], dtype=np.float32),
        *probabilities.T,
        np.array([row.folds_disagree for row in rows], dtype=np.int32),
        pandas.array([row.seen for row in rows], dtype="Int32"),
    )
    return pandas.DataFrame(dict(zip(columns(classes), values, strict=True)))


def epochs(record: RunRecord) -> "pd.DataFrame":
    """A row a fold and epoch, with what EpochFinished says."""
    rows = [
        {"repeat": repeat, "fold": fold, **asdict(epoch)}
        for (repeat, fold), course in record.epochs.items()
        for epoch in course
    ]
    columns = ("repeat", "fold", "epoch", "steps", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
    return _pandas().DataFrame(rows, columns=[*columns, "weights_sha256"])


def runs(records: Sequence[RunRecord]) -> "pd.DataFrame":
    """A row a run."""
    rows = []
    for record in records:
        summary = Summary.of(record)
        rows.append(
            {
                "run": record.run,
                "experiment": record.title,
                "status": record.status,
                "folds": len(record.finished),
                "accuracy": summary.accuracy.mean,
                "sd": summary.accuracy.sd,
                **summary.settings,
            }
        )
    return _pandas().DataFrame(rows)


def lines(comparison: Comparison) -> "pd.DataFrame":
    """A row an experiment of a comparison, in the metric's own units."""
    rows = [
        {
            "experiment": name,
            "run": line.run,
            "images": line.images,
            "mean": line.score.mean,
            "sd": line.score.sd,
            "low": line.interval.low,
            "high": line.interval.high,
            "folds": len(line.folds),
            **{key: line.settings.get(key) for key in comparison.differing},
        }
        for name, line in zip(names_of(comparison.lines), comparison.lines, strict=True)
    ]
    return _pandas().DataFrame(rows)


def pairs(comparison: Comparison) -> "pd.DataFrame":
    """A row a pair of experiments that can be compared."""
    names = names_of(comparison.lines)
    rows = [
        {
            "a": names[pair.a],
            "b": names[pair.b],
            "difference": pair.difference.value,
            "low": pair.difference.low,
            "high": pair.difference.high,
            "p": pair.p,
            "p_adjusted": pair.adjusted,
            "verdict": pair.verdict.word if pair.verdict else None,
        }
        for pair in comparison.usable
    ]
    return _pandas().DataFrame(rows, columns=["a", "b", "difference", "low", "high", "p", "p_adjusted", "verdict"])


def _pandas() -> Any:
    """Only a table needs it. Raises FoldproofError where it is not installed."""
    try:
        import pandas as pd
    except ImportError as error:
        raise FoldproofError(
            "tables need pandas, which is not installed here", next_step="run: pip install pandas"
        ) from error
    return pd
