"""Run folders as a run writes them, without training: settings and scores in, files and journals out."""

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from foldproof.events.journal import JournalWriter
from foldproof.events.types import (
    ArtifactAdded,
    Body,
    EpochFinished,
    Event,
    FoldFailed,
    FoldFinished,
    FoldStarted,
    RunFinished,
    RunStarted,
)

CLASSES = ("ant", 'bee "honey"', "caterpillar")
GIT = {"commit": "0123456789abcdef0123456789abcdef01234567", "branch": "main", "dirty": True, "untracked": []}
DATA = {
    "state": "clean",
    "dvc_hash": "0f343b0931126a20f133d67c2b018a3b.dir",
    "path": "data/train",
    "remote": "https://alice:hunter2@example.org/store",
    "changed": [],
    "missing": [],
    "extra": [],
}
HEX = "5ca1ab1e" * 8


@dataclass(frozen=True)
class JournaledRun:
    """A run folder to which events are added as a run would."""

    folder: Path
    k: int = 3
    repeats: int = 1
    epochs: int = 2
    experiment: str = "Run_High_LR"
    about: tuple[str, int] = (platform.node(), os.getpid())

    @staticmethod
    def make(parent: Path, run: str = "20260102-030405-abcdef", **shape: object) -> "JournaledRun":
        made = JournaledRun(parent / run, **shape)  # type: ignore[arg-type]
        made.folder.mkdir(parents=True)
        made._describe()
        return made

    @property
    def run(self) -> str:
        return self.folder.name

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(repeat, fold) for repeat in range(self.repeats) for fold in range(self.k)]

    def append(self, *bodies: Body, place: tuple[int, int] | None = None) -> list[Event]:
        folder = self.folder if place is None else self.fold_folder(place)
        folder.mkdir(exist_ok=True)
        repeat, fold = place or (None, None)
        about = {"host": self.about[0], "pid": self.about[1]}
        with JournalWriter(folder, run=self.run, repeat=repeat, fold=fold, about=about) as journal:
            return [journal.append(body) for body in bodies]

    def start(self) -> None:
        started = RunStarted(
            experiment=self.experiment,
            identity=HEX,
            fingerprint=HEX[::-1],
            folds=self.k,
            repeats=self.repeats,
            epochs=self.epochs,
        )
        self.append(started)

    def begin_fold(self, place: tuple[int, int], *, epochs: int) -> None:
        started = FoldStarted(
            train_images=40, validation_images=20, parameters=94762, trained_parameters=94762, weights_sha256=HEX
        )
        self.append(started, *(epoch(place, number) for number in range(1, epochs + 1)), place=place)

    def finish_fold(self, place: tuple[int, int]) -> Event:
        folder = self.fold_folder(place)
        save_file({"weight": np.arange(4, dtype=np.float32)}, folder / "model.safetensors")
        (folder / "predictions.parquet").write_bytes(b"PAR1 of fold %d" % place[1])
        (folder / "steps.f32").write_bytes(bytes(16))
        (folder / "initial.safetensors").write_bytes(bytes(16))
        last = epoch(place, self.epochs)
        finished = FoldFinished(
            epochs=self.epochs,
            scores={"accuracy": last.val_accuracy, "macro_f1": last.val_accuracy - 0.125, "my.metrics:top2": 1.0},
            per_class=dict(zip(CLASSES, (1.0, 0.5, float("nan")), strict=True)),
            weights_sha256=HEX,
            predictions_sha256=HEX,
        )
        (event,) = self.append(finished, place=place)
        return event

    def fail_fold(self, place: tuple[int, int]) -> None:
        self.append(FoldFailed(error="RuntimeError", reason="no space; token=abc123"), place=place)

    def end(self, status: str = "finished") -> None:
        self.append(RunFinished(status=status))

    def add_report(self) -> None:
        (self.folder / "report").mkdir()
        (self.folder / "report" / "report.html").write_text("<p>fine</p>", encoding="utf-8")
        self.append(ArtifactAdded(file="report/report.html", sha256=HEX))

    def complete(self) -> "JournaledRun":
        self.start()
        for place in self.places:
            self.begin_fold(place, epochs=self.epochs)
            self.finish_fold(place)
        self.add_report()
        self.end()
        return self

    def fold_folder(self, place: tuple[int, int]) -> Path:
        return self.folder / f"fold-{place[0]}-{place[1]}"

    def _describe(self) -> None:
        facts = {
            "v": 1,
            "run": self.run,
            "experiment": self.experiment,
            "identity": HEX,
            "created": "2026-01-02T03:04:05Z",
            "fingerprint": HEX[::-1],
            "folds_digest": HEX,
            "classes": CLASSES,
            "images": 60,
            "image_size": 28,
            "config": {
                "name": self.experiment,
                "pixels": {"image_size": "auto", "resize": "squash"},
                "folds": {"k": self.k, "seed": 42, "repeats": self.repeats},
                "train": {"backbone": "small_cnn", "epochs": self.epochs, "lr": 0.01, "seed": 7, "pretrained": False},
            },
            "data_path": "data/train",
        }
        environment = {
            "v": 1,
            "foldproof": "0.1.0",
            "command": ["/home/alice/.venv/bin/foldproof", "run", "Run_High_LR"],
            "git": GIT,
            "data": DATA,
            "numeric_class": {"fingerprint": "feed" * 16},
        }
        for name, content in (("run.json", facts), ("environment.json", environment), ("dataset.json", {"v": 1})):
            (self.folder / name).write_text(json.dumps(content), encoding="utf-8")
        (self.folder / "folds.csv").write_text("v,k,seed,repeat,fold,sha256,label,group,path\n", encoding="utf-8")


def epoch(place: tuple[int, int], number: int, **other: float) -> EpochFinished:
    """Fold f of repeat r at epoch e: accuracy 0.5 + f/16 + r/32 + e/64, loss 1/e; fold 1 is best at its first epoch."""
    repeat, fold = place
    best_first = 0.25 if fold == 1 and number == 1 else 0.0
    values = {
        "lr": 0.01,
        "train_loss": 1.5 / number,
        "train_accuracy": 0.5,
        "val_loss": 1.0 / number,
        "val_accuracy": 0.5 + fold / 16 + repeat / 32 + number / 64 + best_first,
    }
    return EpochFinished(epoch=number, steps=2, weights_sha256=HEX, **{**values, **other})
