"""Summarise a run's record: its settings and the scores in its journals. Reads nothing else. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foldproof.config.schema import FoldSettings, PixelSettings, TrainSettings
from foldproof.events.fold_id import FoldId
from foldproof.records.record import RunRecord, Spread

UNKNOWN = Spread.of(())


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run amounted to. Accuracies are fractions; mappings are by (repeat, fold), at the last epoch.

    Identity and hashes are empty for what somebody else trained. The best-epoch figures let each fold choose the epoch
    it is scored at: they are optimistic. `seconds`: training time, all folds together, where it is known. `curves`: the
    validation accuracy after each epoch, where it is known.
    """

    run: str
    experiment: str
    identity: str = ""
    fingerprint: str = ""
    folds_digest: str = ""
    status: str
    k: int
    repeats: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Spread
    loss: Spread = UNKNOWN
    best_epoch_accuracy: Spread = UNKNOWN
    best_epoch_loss: Spread = UNKNOWN
    accuracy_by_fold: Mapping[FoldId, float]
    scores_by_fold: Mapping[FoldId, Mapping[str, float]] = field(default_factory=dict)
    images_by_fold: Mapping[FoldId, int] = field(default_factory=dict)
    seconds: float | None = None
    curves: Mapping[FoldId, tuple[float, ...]] = field(default_factory=dict)
    scheme: str = "stratified"

    @property
    def expected_folds(self) -> int:
        return self.k * self.repeats

    @staticmethod
    def of(record: RunRecord) -> "Summary":
        config = record.facts["config"]
        return Summary(
            run=record.run,
            experiment=record.experiment,
            identity=record.identity,
            fingerprint=record.facts["fingerprint"],
            folds_digest=record.facts["folds_digest"],
            status=record.status,
            k=config["folds"]["k"],
            repeats=config["folds"]["repeats"],
            settings=flat_settings(config),
            accuracy=record.last_accuracy,
            loss=record.last_loss,
            best_epoch_accuracy=record.best_epoch_accuracy,
            best_epoch_loss=record.best_epoch_loss,
            accuracy_by_fold={fold_id: record.epochs[fold_id][-1].val_accuracy for fold_id in record.finished},
            scores_by_fold={fold_id: done.scores for fold_id, done in record.finished.items()},
            images_by_fold={
                fold_id: record.fold_started[fold_id].validation_images
                for fold_id in record.finished
                if fold_id in record.fold_started
            },
            seconds=record.seconds,
            curves={
                fold_id: tuple(epoch.val_accuracy for epoch in record.epochs[fold_id]) for fold_id in record.finished
            },
            scheme=config["folds"].get("scheme", "stratified"),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; absent figures (no fold finished, one fold's deviation) are null."""
        return {
            "run": self.run,
            "experiment": self.experiment,
            "identity": self.identity,
            "status": self.status,
            "folds_expected": self.expected_folds,
            "settings": dict(self.settings),
            "accuracy": spread_json(self.accuracy),
            "loss": spread_json(self.loss),
            "best_epoch_accuracy_optimistic": spread_json(self.best_epoch_accuracy),
            "best_epoch_loss_optimistic": spread_json(self.best_epoch_loss),
            "folds": [
                {"repeat": repeat, "fold": fold, "accuracy": finite(value)}
                for (repeat, fold), value in self.accuracy_by_fold.items()
            ],
        }


def flat_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """`train.lr` and so on: the resolved settings that define the result."""
    sections = {"pixels": PixelSettings, "folds": FoldSettings, "train": TrainSettings}
    return {
        f"{'data' if name == 'pixels' else name}.{key}": value
        for name in sections
        for key, value in config[name].items()
    }


def spread_json(spread: Spread) -> dict[str, Any]:
    return {"mean": finite(spread.mean), "sd": finite(spread.sd), "n": spread.n}


def finite(value: float) -> float | None:
    """The value, or None where JSON has no number for it."""
    return value if value - value == 0 else None
