"""`Comparison`: records in, a table of scores side by side out. Names no winner: these figures alone carry none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from foldproof.config.schema import FoldSettings, PixelSettings, TrainSettings
from foldproof.record import RunRecord, Spread


@dataclass(frozen=True, kw_only=True)
class Line:
    """One run of a comparison. Accuracies are fractions; `folds` maps (repeat, fold) to the last epoch's accuracy.

    The best-epoch figures let each fold choose the epoch it is scored at: they are optimistic.
    """

    run: str
    experiment: str
    identity: str
    status: str
    expected_folds: int
    settings: dict[str, Any]
    accuracy: Spread
    loss: Spread
    best_epoch_accuracy: Spread
    best_epoch_loss: Spread
    folds: dict[tuple[int, int], float]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs side by side, in the order asked for. `differing`: the settings in which they differ."""

    lines: tuple[Line, ...]
    differing: tuple[str, ...]
    same_images: bool
    same_folds: bool

    def to_json(self) -> dict[str, Any]:
        """One JSON document; absent figures (no fold finished, one fold's deviation) are null."""
        return {
            "v": 1,
            "metric": "accuracy",
            "same_images": self.same_images,
            "same_folds": self.same_folds,
            "differing": list(self.differing),
            "runs": [
                {
                    "run": line.run,
                    "experiment": line.experiment,
                    "identity": line.identity,
                    "status": line.status,
                    "folds_expected": line.expected_folds,
                    "settings": line.settings,
                    "accuracy": _spread_json(line.accuracy),
                    "loss": _spread_json(line.loss),
                    "best_epoch_accuracy_optimistic": _spread_json(line.best_epoch_accuracy),
                    "best_epoch_loss_optimistic": _spread_json(line.best_epoch_loss),
                    "folds": [
                        {"repeat": repeat, "fold": fold, "accuracy": _finite(value)}
                        for (repeat, fold), value in line.folds.items()
                    ],
                }
                for line in self.lines
            ],
        }


def compare(records: Sequence[RunRecord]) -> Comparison:
    """Put runs side by side; a run with folds missing is shown with those it has."""
    lines = tuple(_line(record) for record in records)
    keys = dict.fromkeys(key for line in lines for key in line.settings)
    differing = tuple(key for key in keys if len({repr(line.settings.get(key)) for line in lines}) > 1)
    return Comparison(
        lines=lines,
        differing=differing,
        same_images=len({record.facts["fingerprint"] for record in records}) <= 1,
        same_folds=len({record.facts["folds_digest"] for record in records}) <= 1,
    )


def _line(record: RunRecord) -> Line:
    config = record.facts["config"]
    return Line(
        run=record.run,
        experiment=record.experiment,
        identity=record.identity,
        status=record.status,
        expected_folds=config["folds"]["k"] * config["folds"]["repeats"],
        settings=_flat(config),
        accuracy=record.last_accuracy,
        loss=record.last_loss,
        best_epoch_accuracy=record.best_epoch_accuracy,
        best_epoch_loss=record.best_epoch_loss,
        folds={place: record.epochs[place][-1].val_accuracy for place in record.finished},
    )


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """`train.lr` and so on: the resolved settings that define the result."""
    sections = {"pixels": PixelSettings, "folds": FoldSettings, "train": TrainSettings}
    return {
        f"{'data' if name == 'pixels' else name}.{key}": value
        for name in sections
        for key, value in config[name].items()
    }


def _spread_json(spread: Spread) -> dict[str, Any]:
    return {"mean": _finite(spread.mean), "sd": _finite(spread.sd), "n": spread.n}


def _finite(value: float) -> float | None:
    return value if value - value == 0 else None
