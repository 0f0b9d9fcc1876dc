"""Records that somebody changed with care: checksums and hashes fit again, as far as whoever did it could see."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from foldproof import folds
from foldproof.config.identity import experiment_identity
from foldproof.config.recorded import recorded_config
from foldproof.data.dataset import Dataset
from foldproof.events.journal import frame, unframe
from foldproof.metrics import accuracy, balanced_accuracy, log_loss, macro_f1, recall_by_class
from foldproof.plan.tasks import fold_key
from foldproof.records import predictions
from foldproof.reproduce.recorded import Recorded
from foldproof.training.checkpoint import Checkpoint, weights_sha256
from foldproof.verify.splits import assignments_of

METRICS = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "log_loss": log_loss,
    "macro_f1": macro_f1,
}


@dataclass(frozen=True)
class Forgery:
    """One thing changed in a run's folder. `level`: the level that has to find it; 3 is a training."""

    name: str
    change: Callable[[Path, random.Random], None]
    level: int


def events(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    return [json.loads(unframe(line)) for line in lines]


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change events of a journal; every line is framed again with the checksum that fits."""
    made = events(folder)
    for event in made:
        change(event)
    lines = [frame(json.dumps(event, sort_keys=True, separators=(",", ":")).encode()) for event in made]
    (folder / "events.jsonl").write_bytes(b"".join(lines))


def some_fold(folder: Path, chance: random.Random) -> Path:
    return chance.choice(sorted(folder.glob("fold-*-*")))


def a_bit_of_a_journal(folder: Path, chance: random.Random) -> None:
    path = chance.choice([folder / "events.jsonl", *sorted(folder.glob("fold-*-*/events.jsonl"))])
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content) - 1)] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


def a_score(folder: Path, chance: random.Random) -> None:
    name = chance.choice(sorted(METRICS))

    def better(event: dict[str, Any]) -> None:
        if event["kind"] == "FoldFinished":
            event["data"]["scores"][name] = event["data"]["scores"][name] * 0.5 + 0.41

    rewrite(some_fold(folder, chance), better)


def the_last_accuracy(folder: Path, chance: random.Random) -> None:
    fold = some_fold(folder, chance)
    last = max(event["data"]["epoch"] for event in events(fold) if event["kind"] == "EpochFinished")

    def better(event: dict[str, Any]) -> None:
        if event["kind"] == "EpochFinished" and event["data"]["epoch"] == last:
            event["data"]["val_accuracy"] = event["data"]["val_accuracy"] * 0.5 + 0.41

    rewrite(fold, better)


def an_early_accuracy(folder: Path, chance: random.Random) -> None:
    """A state that the training stored knows what an epoch before the last scored."""

    rewrite(some_fold(folder, chance), _better_first_epoch)


def _better_first_epoch(event: dict[str, Any]) -> None:
    if event["kind"] == "EpochFinished" and event["data"]["epoch"] == 1:
        event["data"]["val_accuracy"] = event["data"]["val_accuracy"] * 0.5 + 0.41


def an_early_accuracy_without_states(folder: Path, chance: random.Random) -> None:
    """Without states nothing but a training of that very fold knows it; `verify` trains the first fold alone."""
    remove_states(folder)
    rewrite(chance.choice(sorted(folder.glob("fold-*-*"))[1:]), _better_first_epoch)


def remove_states(folder: Path) -> None:
    """Take away stored states, which would have to be forged too."""
    for path in folder.glob("fold-*-*/state-*"):
        path.unlink()


def a_training_loss(folder: Path, chance: random.Random) -> None:
    def lower(event: dict[str, Any]) -> None:
        if event["kind"] == "EpochFinished" and event["data"]["epoch"] == 1:
            event["data"]["train_loss"] *= 0.9

    rewrite(some_fold(folder, chance), lower)


def a_step(folder: Path, chance: random.Random) -> None:
    path = some_fold(folder, chance) / "steps.f32"
    losses = np.fromfile(path, dtype="<f4")
    losses[chance.randrange(len(losses))] *= np.float32(0.9)
    losses.tofile(path)


def a_swap_of_folds(folder: Path, chance: random.Random) -> None:
    """Two images change places in folds.csv, and every hash that is made of the table fits again."""
    path = folder / "folds.csv"
    lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    one = chance.randrange(len(rows))
    other = chance.choice([number for number, row in enumerate(rows) if row[4] != rows[one][4]])
    rows[one][4], rows[other][4] = rows[other][4], rows[one][4]
    path.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    rehash(folder)


def a_setting(folder: Path, chance: random.Random) -> None:
    """Another learning rate than that of the training, in every place that speaks of it."""
    factor = chance.choice([0.1, 10.0])
    facts = json.loads((folder / "run.json").read_text())
    for section in (facts["config"], facts["settings"]):
        section["train"]["lr"] *= factor
    (folder / "run.json").write_text(json.dumps(facts))

    def other(event: dict[str, Any]) -> None:
        if event["kind"] == "EpochFinished":
            event["data"]["lr"] *= factor

    for fold in folder.glob("fold-*-*"):
        rewrite(fold, other)
    rehash(folder)
    remove_papers(folder)


def rehash(folder: Path) -> None:
    """Make identity, digest of the folds and fold keys fit whatever run.json and folds.csv say now."""
    recorded = Recorded.read(folder)
    assignments, _ = assignments_of(recorded)
    facts = json.loads((folder / "run.json").read_text())
    facts["folds_digest"] = folds.digest(recorded.dataset, assignments)
    facts["identity"] = experiment_identity(
        recorded_config(facts), fingerprint=recorded.dataset.fingerprint, folds_digest=facts["folds_digest"]
    )
    (folder / "run.json").write_text(json.dumps(facts))

    def identified(event: dict[str, Any]) -> None:
        if event["kind"] == "RunStarted":
            event["data"]["identity"] = facts["identity"]

    rewrite(folder, identified)
    keys: dict[str, str] = {}
    for made in assignments:
        for fold in made.folds(recorded.config.folds.k):
            key = fold_key(
                recorded.config,
                recorded.dataset,
                fold,
                image_size=facts["image_size"],
                numeric_class=recorded.environment["numeric_class"],
            )
            keys[f"fold-{fold.repeat}-{fold.index}"] = key
    for name, key in keys.items():
        rewrite(folder / name, partial(_with_key, key))
        weights = folder / name / "model.safetensors"
        if weights.exists():
            replace(Checkpoint.load(weights), identity=facts["identity"]).save(weights)


def _with_key(key: str, event: dict[str, Any]) -> None:
    event["about"]["fold_key"] = key


def predictions_of(folder: Path, fold: Path) -> predictions.Predictions:
    finished = next(event["data"] for event in events(fold) if event["kind"] == "FoldFinished")
    classes = len(json.loads((folder / "run.json").read_text())["classes"])
    return predictions.read(folder, fold.name, classes=classes, sha256=finished["predictions_sha256"])


def replace_predictions(folder: Path, fold: Path, made: np.ndarray, *, consistent: bool) -> None:
    """Write other probabilities; `consistent`: hash, scores and the last epoch are made anew to fit."""
    before = predictions_of(folder, fold)
    repeat, number = (int(part) for part in fold.name.split("-")[1:])
    sha256 = predictions.write(fold, before.samples, made, repeat=repeat, fold=number, seed=5)
    if not consistent:
        return
    dataset = Dataset.from_json(json.loads((folder / "dataset.json").read_text()))
    numbers = {name: index for index, name in enumerate(dataset.classes)}
    labels = np.array([numbers[sample.label] for sample in before.samples])
    last = max(event["data"]["epoch"] for event in events(fold) if event["kind"] == "EpochFinished")

    def fitting(event: dict[str, Any]) -> None:
        data = event["data"]
        if event["kind"] == "FoldFinished":
            recall = recall_by_class(made, labels)
            data["predictions_sha256"] = sha256
            data["scores"] = {name: metric(made, labels) for name, metric in METRICS.items()}
            data["per_class"] = {name: float(recall[index]) for index, name in enumerate(dataset.classes)}
        if event["kind"] == "EpochFinished" and data["epoch"] == last:
            data["val_accuracy"] = accuracy(made, labels)
            data["val_loss"] = log_loss(made, labels)

    rewrite(fold, fitting)


def _improved(folder: Path, fold: Path, chance: random.Random) -> np.ndarray:
    before = predictions_of(folder, fold)
    made = before.probabilities.copy()
    row = chance.randrange(len(made))
    made[row] = np.roll(made[row], 1)
    return made


def a_prediction(folder: Path, chance: random.Random) -> None:
    fold = some_fold(folder, chance)
    replace_predictions(folder, fold, _improved(folder, fold, chance), consistent=False)


def a_prediction_and_all_that_follows(folder: Path, chance: random.Random) -> None:
    """Scores, hashes, report and tables fit the invented prediction: only the weights know better."""
    fold = some_fold(folder, chance)
    replace_predictions(folder, fold, _improved(folder, fold, chance), consistent=True)
    remove_papers(folder)


def remove_papers(folder: Path) -> None:
    """Take away reports, tables and stored states, which would have to be forged too."""
    remove_states(folder)
    for name in ("report", "report-private"):
        shutil.rmtree(folder / name, ignore_errors=True)


def a_weight(folder: Path, chance: random.Random) -> None:
    """A bit of the tensors, in a file that is otherwise whole."""
    path = some_fold(folder, chance) / "model.safetensors"
    content = bytearray(path.read_bytes())
    header = int.from_bytes(content[:8], "little")
    content[chance.randrange(8 + header, len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


def a_weight_and_all_that_follows(folder: Path, chance: random.Random) -> None:
    """Other weights, saved as a training would, with their hash in the journal."""

    fold = some_fold(folder, chance)
    loaded = Checkpoint.load(fold / "model.safetensors")
    name = chance.choice(sorted(name for name, tensor in loaded.weights.items() if tensor.is_floating_point()))
    weights = {**loaded.weights, name: loaded.weights[name] * 1.5 + 0.1}
    replace(loaded, weights=weights).save(fold / "model.safetensors")
    sha256 = weights_sha256(weights)
    last = max(event["data"]["epoch"] for event in events(fold) if event["kind"] == "EpochFinished")

    def fitting(event: dict[str, Any]) -> None:
        if event["kind"] == "FoldFinished" or (event["kind"] == "EpochFinished" and event["data"]["epoch"] == last):
            event["data"]["weights_sha256"] = sha256

    rewrite(fold, fitting)
    remove_states(folder)


def a_table(folder: Path, chance: random.Random) -> None:
    """A number of the report's table of folds, with its hash in the journal."""
    path = folder / "report" / chance.choice(["folds.csv", "comparison.csv"])
    lines = path.read_text().splitlines()
    number = chance.randrange(1, len(lines))
    cells = lines[number].split(",")
    cells[-2] = "0.987654321"
    lines[number] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def fitting(event: dict[str, Any]) -> None:
        if event["kind"] == "ArtifactAdded" and event["data"]["file"] == f"report/{path.name}":
            event["data"]["sha256"] = sha256

    rewrite(folder, fitting)


FORGERIES = (
    Forgery("a bit of a journal", a_bit_of_a_journal, 0),
    Forgery("a score", a_score, 0),
    Forgery("the last accuracy", the_last_accuracy, 0),
    Forgery("a training loss", a_training_loss, 0),
    Forgery("the loss of a step", a_step, 0),
    Forgery("two images swapped between folds", a_swap_of_folds, 0),
    Forgery("a prediction", a_prediction, 0),
    Forgery("a number in a table", a_table, 0),
    Forgery("the accuracy of an early epoch", an_early_accuracy, 0),
    Forgery("a weight", a_weight, 1),
    Forgery("a prediction, with scores and hashes to fit", a_prediction_and_all_that_follows, 1),
    Forgery("weights, with hashes to fit", a_weight_and_all_that_follows, 1),
    Forgery("the learning rate, with hashes to fit", a_setting, 2),
    Forgery("the accuracy of an early epoch, without states", an_early_accuracy_without_states, 3),
)
