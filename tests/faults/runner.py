"""Runs experiments in forked children, each a fresh process a moment after it is asked for: orders in, outcomes out.

A line of JSON on stdin: project, overrides, resume, acknowledged (a file). Two lines on stdout: the child's process id,
and later its exit code, or minus the signal. Every event that is told goes to the file; an error goes beside it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet  # noqa: F401 - the children shall not spend their time on imports
import torch

import foldproof.training.loop  # noqa: F401
from foldproof.config.read import load_settings
from foldproof.errors import FoldproofError
from foldproof.events.types import Event, Notice, to_json
from foldproof.executors import ExecutorContext
from foldproof.executors.inline import InlineExecutor
from foldproof.executors.stopping import Stopping
from foldproof.plan.options import RunOptions
from foldproof.project import Project
from foldproof.trackers import TrackerContext
from foldproof.training_data.load import load_training_data
from foldproof.workflow import run
from planned import opened


class Acknowledged:
    """A tracker that writes down what it is told."""

    def __init__(self, context: TrackerContext) -> None:  # noqa: ARG002
        self._descriptor = os.open(os.environ["FAULTS_ACKNOWLEDGED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(self, event: Event) -> None:
        os.write(self._descriptor, to_json(event) + b"\n")

    def close(self, *, within: float = 60.0) -> tuple[Notice, ...]:  # noqa: ARG002
        os.close(self._descriptor)
        return ()


def carry_out(order: dict[str, Any]) -> int:
    os.environ["FAULTS_ACKNOWLEDGED"] = order["acknowledged"]
    project = Project.find(Path(order["project"]))
    try:
        report = run(
            project,
            load_settings(project.settings_file, overrides=tuple(order["overrides"])),
            options=RunOptions(resume=order["resume"]),
            trackers=("faults.runner:Acknowledged",),
            quiet=True,
        )
    except FoldproofError as error:
        Path(order["acknowledged"] + ".error").write_text(str(error))
        return 2
    return 0 if report.all_finished else 1


def warm(root: Path) -> None:
    """Everything up to the first epoch, once, so that its imports are there."""
    project = Project.find(root)
    loaded = load_settings(project.settings_file)
    training_data = load_training_data(project, loaded.settings, allow_dirty=False)
    with InlineExecutor(ExecutorContext(parallel_folds=1, threads=1, stopping=Stopping())) as executor:
        opened(project, loaded.experiments, training_data, executor, loaded.settings.execution)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first one imports a compiler


def main() -> None:
    warm(Path(sys.argv[1]))
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            code = 70
            try:
                code = carry_out(order)
            finally:
                os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


class Runner:
    """The other end: starts the process, gives orders, hears outcomes. `root` is a project like those to come."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self._root = root
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.runner", str(root)],
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._heard() == "ready"

    @property
    def acknowledged(self) -> Path:
        return self._root.with_name("acknowledged")

    @property
    def error(self) -> str:
        """What the last run that ended with 2 said."""
        return self.acknowledged.with_name("acknowledged.error").read_text()

    def start(self, *, resume: bool = False, overrides: tuple[str, ...] = ()) -> int:
        """Begin a run. The id of its process, which leads a group of its own."""
        order = {
            "project": str(self._root),
            "overrides": overrides,
            "resume": resume,
            "acknowledged": str(self.acknowledged),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._heard())

    def wait(self) -> int:
        """The exit code of what was begun, or minus the signal that ended it."""
        return int(self._heard())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


if __name__ == "__main__":
    main()
