"""What every executor promises: the journals of `inline`, failures that stay in their fold, nothing left over."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from foldproof import registry
from foldproof.config.read import load_settings
from foldproof.errors import ModelError
from foldproof.events import journal
from foldproof.executors import ExecutorContext
from foldproof.executors.process import ProcessExecutor
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.records.record import RunRecord, read_events
from foldproof.training.task import ModelRequest
from foldproof.workflow import RunReport, run

FAILING_MODEL = """\
import os
from pathlib import Path

from torch import nn


class Sometimes(nn.Module):
    def forward(self, images):
        marker = Path(__file__).with_name("trained")
        if self.training and marker.exists():
            marker.unlink()
            {harm}
        return images


def fails_once(*, classes, pretrained):
    return nn.Sequential(Sometimes(), nn.Flatten(), nn.Linear(192, classes))
"""

every_executor = pytest.mark.parametrize("executor", registry.names("executors"))


def carry_out(folder: Path, *overrides: str) -> RunReport:
    project = Project.find(folder)
    return run(project, load_settings(project.settings_file, overrides=overrides), quiet=True)


def only(report: RunReport) -> Path:
    (folder,) = report.statuses
    return folder


def put_failing_model(folder: Path, executor: str, *, harm: str) -> None:
    """As a module of its own for each executor: those that train here import it into this process."""
    (folder / f"failing_{executor}.py").write_text(FAILING_MODEL.format(harm=harm), encoding="utf-8")


def arm(folder: Path) -> None:
    """Let the next training step of the failing model fail; the probe has its own, which is why this comes later."""
    (folder / "trained").touch()


@pytest.mark.slow
@every_executor
def test_it_gives_the_journals_of_inline(executor, tiny_project):
    inline = only(carry_out(tiny_project, "execution.executor=inline"))
    other = only(carry_out(tiny_project, f"execution.executor={executor}", "execution.parallel_folds=2"))
    assert journal.group_by_fold(read_events(inline)) == journal.group_by_fold(read_events(other))


@pytest.mark.slow
@every_executor
@pytest.mark.parametrize(
    ("raised", "said"),
    [("KeyError('no head')", "cannot be built: KeyError: 'no head'"), ("MemoryError()", "does not hold what")],
)
def test_a_model_that_cannot_be_built_is_said_with_its_reason_before_anything_is_trained(
    raised, said, executor, tiny_project
):
    module = f"raises_{raised.partition('(')[0].lower()}"
    (tiny_project / f"{module}.py").write_text(f"def build(*, classes, pretrained):\n    raise {raised}\n")
    with pytest.raises(ModelError, match=said) as caught:
        carry_out(tiny_project, f"execution.executor={executor}", f"train.backbone={module}:build")
    assert caught.value.next_step
    assert not list((tiny_project / "runs").glob("*"))


@pytest.mark.slow
@every_executor
def test_a_fold_that_fails_keeps_its_reason_and_the_others_go_on(executor, tiny_project):
    put_failing_model(tiny_project, executor, harm='raise RuntimeError("no luck")')
    report = fail_one(tiny_project, executor)
    record = RunRecord.read(only(report))
    assert not report.all_finished
    assert record.status == "failed"
    assert [(failed.error, failed.reason) for failed in record.failed.values()] == [("RuntimeError", "no luck")]
    assert len(record.finished) == 2
    (place,) = record.failed
    trace = (record.folder / f"fold-{place[0]}-{place[1]}" / "failure.txt").read_text(encoding="utf-8")
    assert f"failing_{executor}.py" in trace


def fail_one(folder: Path, executor: str) -> RunReport:
    """Train with a model whose first step after the first journaled fold fails."""
    import threading

    def arm_when_training() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(folder.glob("runs/*/fold-*/events.jsonl")):
            time.sleep(0.002)
        arm(folder)

    thread = threading.Thread(target=arm_when_training)
    thread.start()
    try:
        return carry_out(
            folder,
            f"execution.executor={executor}",
            "execution.parallel_folds=1",
            f"train.backbone=failing_{executor}:fails_once",
            "train.epochs=60",
        )
    finally:
        thread.join()


@pytest.mark.slow
def test_a_worker_that_is_killed_fails_its_fold_alone(tiny_project):
    put_failing_model(tiny_project, "process", harm="os.kill(os.getpid(), 9)")
    record = RunRecord.read(only(fail_one(tiny_project, "process")))
    assert [failed.error for failed in record.failed.values()] == ["WorkerDied"]
    assert "SIGKILL" in next(iter(record.failed.values())).reason
    assert len(record.finished) == 2


@pytest.mark.slow
def test_a_worker_that_is_killed_before_it_is_asked_is_named(tiny_project):
    config = load_settings(Project.find(tiny_project).settings_file).experiments[0]
    request = ModelRequest.of(config, classes=("a", "b"), device="cpu", plugins=tiny_project)
    with (
        closing(Stopping()) as stopping,
        ProcessExecutor(ExecutorContext(parallel_folds=2, threads=1, stopping=stopping, device="cpu", folds=2)) as made,
    ):
        first, second = made._workers  # both are there from the start, as both will train
        first.process.kill()
        first.process.join()
        with pytest.raises(ModelError, match="the worker died while building") as caught:
            made.probe(request)
        assert "SIGKILL" in caught.value.what
        assert second.process.is_alive()


@pytest.mark.slow
def test_the_parent_of_processes_never_imports_torch(tiny_project):
    code = (
        "import sys; from foldproof.cli.main import run_command; "
        "assert __name__ == '__main__' and run_command(['run', '--quiet', '--set', 'tracking.enabled=false']) == 0; "
        "print(sorted({'torch', 'mlflow', 'timm'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tiny_project,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_workers_die_with_the_parent(tiny_project):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "foldproof",
            "run",
            "-q",
            "--set",
            "train.epochs=100000",
            "--set",
            "tracking.enabled=false",
        ],
        cwd=tiny_project,
    )
    try:
        wait_until(lambda: list(tiny_project.glob("runs/*/fold-*/events.jsonl")), seconds=60)
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert workers
        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=10)
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert not alive
    finally:
        parent.kill()
        parent.wait(timeout=10)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_ends_its_journal_and_says_so_by_its_exit_code(tiny_project, number, code):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "foldproof",
            "run",
            "-q",
            "--set",
            "train.epochs=100000",
            "--set",
            "tracking.enabled=false",
        ],
        cwd=tiny_project,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: list(tiny_project.glob("runs/*/fold-*/events.jsonl")), seconds=60)
        parent.send_signal(number)
        _, errors = parent.communicate(timeout=20)
        assert parent.returncode == code
        assert b"Traceback" not in errors
        (folder,) = Project.find(tiny_project).run_folders()
        assert RunRecord.read(folder).status == "interrupted"
    finally:
        parent.kill()
        parent.wait(timeout=10)


def wait_until(true, *, seconds: float) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
