"""Mistakes in the settings file and in what is typed."""

from collections.abc import Callable
from pathlib import Path

from mistaken.mistake import Mistake
from mistaken.worlds import SETTINGS


def settings(text: str) -> Callable[[Path], object]:
    """The settings file says `text`."""
    return lambda project: (project / "params.yaml").write_text(text, encoding="utf-8")


def instead(old: str, new: str) -> Callable[[Path], object]:
    """The settings file says `new` where it said `old`."""
    assert old in SETTINGS
    return settings(SETTINGS.replace(old, new))


MISTAKES = (
    Mistake("No settings", "foldproof run", lambda project: (project / "params.yaml").unlink()),
    Mistake("Broken YAML", "foldproof run", instead("{k: 2}", "{k: 2")),
    Mistake("A tab in YAML", "foldproof run", instead("  LongRun", "\tLongRun")),
    Mistake("An empty settings file", "foldproof run", settings("")),
    Mistake("Another tool's params.yaml", "foldproof run", settings("prepare: {split: 0.2}\n")),
    Mistake("A settings file of a newer foldproof", "foldproof run", instead("version: 1", "version: 9")),
    Mistake("An unknown key", "foldproof run", instead("epochs: 1", "epoch: 1")),
    Mistake("An unknown section", "foldproof run", instead("folds:", "fold:")),
    Mistake("A key twice", "foldproof run", instead("epochs: 1", "epochs: 1, epochs: 3")),
    Mistake(
        "Five mistakes at once",
        "foldproof run",
        instead("epochs: 1, batch_size: 8", "epochs: no, batch_size: 0, lr: fast, sede: 1, optimizer: adm"),
    ),
    Mistake("A value of another kind", "foldproof run --set train.lr=fast"),
    Mistake("A value out of range", "foldproof run --set folds.k=1"),
    Mistake("--set without a value", "foldproof run --set train.lr"),
    Mistake("An unknown key in --set", "foldproof run --set train.epoch=3"),
    Mistake("An unknown backbone", "foldproof run --set train.backbone=resnet81"),
    Mistake("An unknown optimiser", "foldproof run --set train.optimizer=adma"),
    Mistake("An unknown experiment", "foldproof run FristRun"),
    Mistake("A name that makes no experiment", "foldproof run", instead("FirstRun", "First/Run")),
    Mistake("A plugin that is not there", "foldproof run --set train.backbone=our_models:build"),
    Mistake(
        "A plugin without the thing that is named",
        "foldproof run --set train.backbone=our_models:biuld",
        lambda project: (project / "our_models.py").write_text("def build(*, classes, pretrained): ...\n"),
    ),
    Mistake("A fold that there is not", "foldproof run FirstRun --fold 7"),
    Mistake("--fold with something else", "foldproof run --fold first"),
    Mistake("--reseed without a fold", "foldproof run FirstRun --reseed"),
    Mistake("A mistyped command", "foldproof comapre"),
    Mistake("A mistyped option", "foldproof run --quite"),
    Mistake("Too few arguments", "foldproof diff FirstRun"),
    Mistake("--debug in the wrong place", "foldproof run --debug"),
)
