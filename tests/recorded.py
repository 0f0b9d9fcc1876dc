"""A small project in git and DVC with a model of its own, trained: what a reproduction starts from."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from conftest import draw_classes
from foldproof.after_run.reports import write_reports
from foldproof.config.read import load_settings
from foldproof.data.versions import dvc
from foldproof.events.journal import JournalWriter
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.workflow import run
from lab.typed import process, typed

MODEL = """\
from torch import nn


def net(*, classes, pretrained):
    trunk = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Dropout(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    return nn.Sequential(trunk, nn.Linear(8, classes))
"""
SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 3, seed: 5, augment: light}
execution: {executor: inline}
experiments: {own: {train: {backbone: 'own_model:net', augment: none}}, small: {}}
tracking: {enabled: false}
"""
INLINE = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 3, seed: 5}
execution: {executor: inline}
experiments: {slow: {}, fast: {train: {lr: 0.01}}}
"""
_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "A Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.org",
    "GIT_COMMITTER_NAME": "A Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "DVC_NO_ANALYTICS": "1",
}


def call(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`: foldproof in this process, or in one of its own where it gets an environment.

    git, and dvc as a module of this Python, are found by their names.
    """
    given = {**_ENVIRONMENT, **environment}
    if command[0] == "foldproof":
        return (process if environment else typed)(folder, *command[1:], code=None, **given)
    if command[0] == "dvc":
        command = (sys.executable, "-m", *command)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **given})


def done(folder: Path, *command: str, **environment: str) -> str:
    """The output of a command that ends well."""
    finished = call(folder, *command, **environment)
    assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"
    return finished.stdout


def make_project(parent: Path, *, each: int = 8) -> Path:
    """Committed, versioned and pushed to a remote beside it, whose address git does not know."""
    project = parent / "project"
    draw_classes(project / "images", each=each)
    (project / "params.yaml").write_text(SETTINGS)
    (project / "own_model.py").write_text(MODEL)
    done(project, "git", "init", "--quiet")
    dvc.init(project)
    dvc.add(project / "images")
    (project / ".dvc" / "config.local").write_text(
        "[core]\n remote = store\n['remote \"store\"']\n url = ../../store\n"
    )
    dvc.push(project)
    (project / ".gitignore").write_text("/images\n/runs/\n/.foldproof/\n__pycache__/\n")
    done(project, "git", "add", "--all")
    done(project, "git", "commit", "--quiet", "--message", "all")
    return project


def trained(project: Path, *arguments: str, **environment: str) -> Path:
    """Train, whatever has run before, and return the folder of the one new run."""
    before = set((project / "runs").glob("*"))
    done(project, "foldproof", "run", "--again", "--quiet", *arguments, **environment)
    (made,) = set((project / "runs").glob("*")) - before
    return made


def train_inline(root: Path, settings: str = INLINE) -> Path:
    """A project in `root` whose experiments were trained in this process, with their reports; neither git nor DVC."""
    if not (root / "images").exists():
        draw_classes(root / "images")
    (root / "params.yaml").write_text(settings)
    project = Project(root / "params.yaml")
    loaded = load_settings(project.settings_file)
    folders = list(run(project, loaded, quiet=True).statuses)
    with closing(Stopping()) as stopping:
        for folder, body in write_reports(project, loaded.settings, folders, stopping):
            with JournalWriter(folder, run=folder.name, about={}) as journal:
                journal.append(body)
    return root
