"""Define runs and comparisons as a notebook holds them: frozen, with pandas tables, shown as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from foldproof.analysis.comparison import Comparison
from foldproof.analysis.tables import experiments_table, folds_table, pairs_table, telling_pairs
from foldproof.notebook import frames
from foldproof.notebook.html import paragraph, table
from foldproof.records.record import RunRecord, Spread

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """A recorded run. Accuracies are fractions."""

    record: RunRecord

    @property
    def id(self) -> str:
        return self.record.run

    @property
    def experiment(self) -> str:
        return self.record.title

    @property
    def status(self) -> str:
        """finished, failed, interrupted, running, or cut off: its process is gone."""
        return self.record.status

    @property
    def folder(self) -> Path:
        return self.record.folder

    @property
    def accuracy(self) -> Spread:
        """Validation accuracy at the last epoch: mean and standard deviation over the finished folds."""
        return self.record.last_accuracy

    def out_of_fold(self) -> "pd.DataFrame":
        """What was said of every image by a model that had not seen it: a row an image and repeat.

        Columns: path, sha256, group, repeat, fold, label, predicted, and `p_CLASS` float32 for every class.
        """
        return frames.tabulate_predictions(self.record)

    def epochs(self) -> "pd.DataFrame":
        """Learning curves: a row a fold and epoch. Losses are means an image, in nats; accuracies fractions."""
        return frames.epochs(self.record)

    def predict(
        self, images: Any, *, by: str = "folds", device: str = "auto", trust_code: bool = False
    ) -> "pd.DataFrame":
        """What the run's models say of new images: a row an image, with the columns and bits of `foldproof predict`.

        `images`: a path, a Pillow image, an array [height, width] or [height, width, 3] of uint8 or uint16, or a list
        of them. A path may be an image, a folder or a CSV. `seen` is not known of what comes from no file. Raises
        DataError for an image that cannot be read.
        """
        from foldproof.notebook.labels import predict

        return predict(self.folder, images, by=by, device=device, trust_code=trust_code)

    def __repr__(self) -> str:
        done = f"{len(self.record.finished)}/{self.record.expected_folds} folds"
        return f"<Run {self.id} {self.experiment}: {self.status}, {done}, accuracy {_said(self.accuracy)}>"

    def _repr_html_(self) -> str:
        return table([_HEADER, _row(self)])


@dataclass(frozen=True)
class Runs(Sequence[Run]):
    """Runs, oldest first. `damaged`: what is wrong with those that cannot be read."""

    items: tuple[Run, ...]
    damaged: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Run, ...]: ...
    def __getitem__(self, index: int | slice) -> Run | tuple[Run, ...]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def table(self) -> "pd.DataFrame":
        """A row a run: id, experiment, status, folds, accuracy and its standard deviation, and every setting."""
        return frames.runs([run.record for run in self.items])

    def _repr_html_(self) -> str:
        rows = table([_HEADER, *map(_row, self.items)]) if self.items else paragraph("nothing has run yet")
        return rows + "".join(map(paragraph, self.damaged))


@dataclass(frozen=True)
class Compared:
    """Experiments side by side, and a verdict in fixed words. `comparison` has every figure."""

    comparison: Comparison

    @property
    def verdict(self) -> str:
        """The sentence; empty where nothing was compared."""
        return self.comparison.verdict.text if self.comparison.verdict else ""

    @property
    def word(self) -> str:
        """The verdict's word, for programs; empty where there is none."""
        return self.comparison.verdict.word if self.comparison.verdict else ""

    def table(self) -> "pd.DataFrame":
        """A row an experiment: run, images, mean, sd, the bounds `low` and `high` of its 95 % interval, folds."""
        return frames.lines(self.comparison)

    def pairs(self) -> "pd.DataFrame":
        """A row a pair: the difference `a` minus `b`, its interval, p adjusted over all pairs, and the verdict."""
        return frames.pairs(self.comparison)

    def __repr__(self) -> str:
        return f"<Compared {len(self.comparison.lines)} by {self.comparison.metric}: {self.verdict}>"

    def _repr_html_(self) -> str:
        found = self.comparison
        tables = (experiments_table(found), folds_table(found), pairs_table(found, telling_pairs(found)))
        notes = found.verdict.notes if found.verdict else ()
        parts = [table(rows) for rows in tables if len(rows) > 1]
        return "".join([*parts, paragraph(f"verdict: {self.verdict}", strong=True), *map(paragraph, notes)])


_HEADER = ("run", "experiment", "status", "folds", "accuracy")


def _row(run: Run) -> tuple[Any, ...]:
    record = run.record
    return run.id, run.experiment, run.status, f"{len(record.finished)}/{record.expected_folds}", _said(run.accuracy)


def _said(spread: Spread) -> str:
    if not spread.n:
        return "-"
    return f"{spread.mean:.4f}" + (f" ± {spread.sd:.4f}" if spread.n > 1 else "")
