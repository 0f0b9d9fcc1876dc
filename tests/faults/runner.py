"""Runs experiments in forked children, each a fresh process a moment after it is asked for: orders in, outcomes out.

A line of JSON on stdin: project, overrides, resume, acknowledged (a file). A line on stdout: exit code, or minus the
signal; and the error. Every event that training was told is recorded goes to the file before anything else happens.
"""

import json
import os
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
from foldproof.material import gather
from foldproof.plan.prepare import Extent, prepare
from foldproof.project import Project
from foldproof.run import run
from foldproof.stopping import Stopping
from foldproof.trackers import TrackerContext


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
            extent=Extent(resume=order["resume"]),
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
    material = gather(project, loaded.settings.data, allow_dirty=False)
    with InlineExecutor(ExecutorContext(parallel_folds=1, threads=1, stopping=Stopping())) as executor:
        prepare(project, loaded.experiments, material, executor, loaded.settings.execution)
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
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    main()
