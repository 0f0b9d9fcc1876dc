"""A run that was cut off, or some of whose folds failed, goes on; and a run is shared by several processes."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from faults.outcome import assert_equal_outcome
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.errors import DamagedFile, SettingsError, StorageError
from foldproof.events import journal
from foldproof.events.fold_id import FoldId
from foldproof.events.types import EpochFinished, Event, FoldResumed, Notice
from foldproof.executors.stopping import Stopping
from foldproof.plan.options import RunOptions
from foldproof.project import Project
from foldproof.records.record import RunRecord, read_events
from foldproof.trackers import TrackerContext
from foldproof.workflow import RunReport, run

INLINE = "execution.executor=inline"
MODEL = """\
from pathlib import Path

import torch
from torch import nn


class Sometimes(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(192, classes))

    def forward(self, images):
        marker = Path(__file__).with_name("harm")
        if self.training and images.any() and marker.exists():
            harm = marker.read_text()
            marker.unlink()
            exec(harm)
        return self.net(images)


def sometimes(*, classes, pretrained):
    return nn.Sequential(Sometimes(classes), nn.Linear(classes, classes))
"""


def carry_out(root: Path, *overrides: str, stop_after: int = 0, executor: str = INLINE, **options: object) -> RunReport:
    """Run what is in the project; stopped once so many epochs have been told of."""
    project = Project.find(root)
    with closing(Stopping()) as stopping:
        Counting.stopping, Counting.left = stopping, stop_after
        return run(
            project,
            load_settings(project.settings_file, overrides=(executor, *overrides)),
            options=RunOptions(**options),  # type: ignore[arg-type]
            trackers=(f"{__name__}:Counting",),
            stopping=stopping,
            quiet=True,
        )


class Counting:
    """A tracker that asks to stop after so many epochs."""

    stopping: Stopping
    left = 0

    def __init__(self, context: TrackerContext) -> None:
        self.plans = context.plans

    def tell(self, event: Event) -> None:
        if isinstance(event.body, EpochFinished):
            Counting.left -= 1
            if Counting.left == 0:
                self.stopping.ask()

    def close(self, *, within: float = 60.0) -> tuple[Notice, ...]:  # noqa: ARG002
        return ()


def only(report: RunReport) -> Path:
    (folder,) = report.statuses
    return folder


def codes(report: RunReport) -> list[str]:
    return [notice.code for notice in report.notices]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__(__name__))


@pytest.fixture
def harmful(tiny_project: Path) -> Path:
    name = f"harmful_{secrets.token_hex(4)}"  # a module of one name is imported once
    (tiny_project / f"{name}.py").write_text(MODEL)
    settings = tiny_project / "params.yaml"
    settings.write_text(settings.read_text().replace("small_cnn", f'"{name}:sometimes"'))
    return tiny_project


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, *(pytest.param(number, marks=pytest.mark.slow) for number in (2, 3, 5))])
def test_a_stopped_run_goes_on_to_what_an_uninterrupted_one_gives(after, tiny_project):
    reference = only(carry_out(tiny_project, "train.augment=light"))
    stopped = carry_out(tiny_project, "train.augment=light", stop_after=after)
    assert list(stopped.statuses.values()) == ["interrupted"]
    assert RunRecord.read(only(stopped)).status == "interrupted"
    again = carry_out(tiny_project, "train.augment=light", resume=True)
    assert only(again) == only(stopped)
    assert again.all_finished
    assert_equal_outcome(only(again), reference)
    assert "goes_on" in codes(again)


@pytest.mark.slow
def test_what_was_finished_is_not_trained_again_and_the_environments_are_kept(tiny_project):
    stopped = carry_out(tiny_project, stop_after=3)
    first = FoldId(0, 0).folder(only(stopped))
    before = {path.name: path.stat().st_mtime_ns for path in first.iterdir()}
    again = carry_out(tiny_project, resume=True)
    assert {path.name: path.stat().st_mtime_ns for path in first.iterdir()} == before
    assert sorted(path.name for path in only(again).glob("environment*.json")) == [
        "environment-2.json",
        "environment.json",
    ]
    resumed = [
        e for e in journal.read(FoldId(0, 1).folder(only(again)) / "events.jsonl") if isinstance(e.body, FoldResumed)
    ]
    assert len(resumed) == 1


@pytest.mark.slow
def test_resume_when_nothing_has_begun_begins_and_when_all_is_done_says_so(tiny_project, monkeypatch, capsys):
    begun = carry_out(tiny_project, resume=True)
    assert begun.all_finished
    assert "begins" in codes(begun)
    done = carry_out(tiny_project, resume=True)
    assert (only(done), done.all_finished, done.was_done) == (only(begun), True, True)
    monkeypatch.chdir(tiny_project)
    assert run_command(["run", "--resume", "--set", INLINE]) == 0
    output = capsys.readouterr()
    assert "nothing to do" in output.err
    assert "3/3" in output.out


@pytest.mark.slow
def test_a_run_killed_before_it_could_record_its_end_gets_its_end(tiny_project):
    folder = only(carry_out(tiny_project))
    file = folder / journal.FILE_NAME
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    assert RunRecord.read(folder).status == "running"
    assert only(carry_out(tiny_project, resume=True)) == folder
    assert RunRecord.read(folder).status == "finished"


@pytest.mark.slow
def test_other_settings_are_not_gone_on_with_and_the_difference_is_said(tiny_project):
    stopped = carry_out(tiny_project, stop_after=1)
    with pytest.raises(SettingsError, match=r"train\.lr was 0\.001 and is 0\.5") as caught:
        carry_out(tiny_project, "train.lr=0.5", resume=True)
    assert only(stopped).name in caught.value.what
    assert len(str(caught.value).splitlines()) <= 3
    with pytest.raises(SettingsError, match=r"train\.momentum was 0\.9 and is 0\.5"):
        carry_out(tiny_project, "train.momentum=0.5", resume=True)


@pytest.mark.slow
def test_other_images_are_not_gone_on_with(tiny_project, make_images):
    carry_out(tiny_project, stop_after=1)
    make_images(tiny_project / "images", each=7)
    with pytest.raises(SettingsError, match="the images differ"):
        carry_out(tiny_project, resume=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "harm", ["other images", *(pytest.param(harm, marks=pytest.mark.slow) for harm in ("gone", "a link", "half"))]
)
def test_a_run_whose_images_are_not_those_it_states_is_not_gone_on_with(harm, tiny_project, make_images, tmp_path):
    folder = only(carry_out(tiny_project, stop_after=1))
    file = folder / "dataset.json"
    match harm:
        case "other images":
            (tiny_project / "images" / "cat" / "000.png").unlink()
            file.write_bytes((only(carry_out(tiny_project)) / "dataset.json").read_bytes())
            make_images(tiny_project / "images")
        case "half":
            file.write_bytes(file.read_bytes()[:200])
        case "a link":
            file.rename(tmp_path / "elsewhere.json")
            file.symlink_to(tmp_path / "elsewhere.json")
        case _:
            file.unlink()
    with pytest.raises(DamagedFile, match=r"dataset\.json") as caught:
        carry_out(tiny_project, resume=True)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.slow
def test_how_it_is_carried_out_may_change_meanwhile(tiny_project):
    reference = only(carry_out(tiny_project))
    stopped = carry_out(tiny_project, stop_after=1)
    carry_out(tiny_project, "execution.checkpoint_every=0", resume=True)
    assert_equal_outcome(only(stopped), reference)


@pytest.mark.slow
def test_a_plain_run_says_what_could_be_gone_on_with(tiny_project):
    stopped = carry_out(tiny_project, stop_after=3)
    anew = carry_out(tiny_project)
    assert only(anew) != only(stopped)
    (notice,) = [notice for notice in anew.notices if notice.code == "unfinished"]
    assert only(stopped).name in notice.text
    assert "foldproof run --resume" in notice.text
    assert "unfinished" not in codes(carry_out(tiny_project))


@pytest.mark.slow
def test_while_somebody_trains_a_run_another_is_told_who(tiny_project):
    stopped = carry_out(tiny_project, stop_after=1)
    with held(only(stopped)) as pid:
        with pytest.raises(StorageError, match=f"is being trained by process {pid} on "):
            carry_out(tiny_project, resume=True)
        notices = [notice.text for notice in carry_out(tiny_project).notices if notice.code == "also_running"]
        assert len(notices) == 1
        assert f"process {pid}" in notices[0]
    assert carry_out(tiny_project, resume=True).all_finished


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Another process writes the journal in `folder`."""
    code = (
        "import sys, time; from pathlib import Path; from foldproof.events.journal import JournalWriter\n"
        "with JournalWriter(Path(sys.argv[1]), run=Path(sys.argv[1]).name, about={}):\n"
        "    print('held', flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process.pid
        finally:
            process.kill()


HARMS = {
    "RuntimeError": 'raise RuntimeError("no luck")',
    "OutOfMemory": 'raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has ...")',
    "TrainingError": "self.net[2].weight.data.fill_(float('nan'))",
}


@pytest.mark.slow
@pytest.mark.parametrize("error", HARMS)
def test_a_fold_that_failed_is_the_only_one_that_resume_trains_again(error, harmful):
    reference = only(carry_out(harmful))
    (harmful / "harm").write_text(HARMS[error])  # for the first step of the first fold: the probe's images are black
    report = carry_out(harmful)
    record = RunRecord.read(only(report))
    (place,) = record.failed
    assert (record.status, list(report.statuses.values()), record.failed[place].error) == ("failed", ["failed"], error)
    before = {p: (p.folder(record.folder) / "model.safetensors").stat().st_mtime_ns for p in record.finished}
    again = carry_out(harmful, resume=True)
    assert again.all_finished
    assert_equal_outcome(only(again), reference)
    after = {p: (p.folder(record.folder) / "model.safetensors").stat().st_mtime_ns for p in before}
    assert before == after


@pytest.mark.slow
def test_a_memory_that_ran_out_is_said_with_what_to_lower(harmful):
    (harmful / "harm").write_text(HARMS["OutOfMemory"])
    failed = next(iter(RunRecord.read(only(carry_out(harmful))).failed.values()))
    assert failed.reason.startswith("the memory of the GPU ran out: lower train.batch_size (now 8)")
    (harmful / "harm").write_text("torch.empty(2**60, dtype=torch.uint8)")
    failed = next(iter(RunRecord.read(only(carry_out(harmful))).failed.values()))
    assert failed.error == "OutOfMemory"
    assert failed.reason.startswith("the memory of this machine ran out: lower train.batch_size (now 8)")
    assert "execution.parallel_folds" in failed.reason


@pytest.mark.slow
def test_a_loss_that_is_no_number_fails_the_fold_with_where(tiny_project):
    report = carry_out(tiny_project, "train.lr=1e30", "train.optimizer=sgd")
    failed = RunRecord.read(only(report)).failed
    assert failed
    assert all(
        re.match(r"the loss is (nan|inf) in step \d+ of epoch \d+\n  try a smaller", f.reason) for f in failed.values()
    )


@pytest.mark.slow
def test_folds_trained_apart_are_one_run(tiny_project):
    reference = only(carry_out(tiny_project))
    for path in list(Project.find(tiny_project).run_folders()):
        path.rename(tiny_project / f"kept-{path.name}")
    first = carry_out(tiny_project, folds=frozenset({(None, 1)}))
    assert first.all_finished
    assert RunRecord.read(only(first)).status == "running"
    second = carry_out(tiny_project, folds=frozenset({(None, 0), (0, 2)}))
    assert only(second) == only(first)
    assert_equal_outcome(only(first), tiny_project / f"kept-{reference.name}")
    third = carry_out(tiny_project, folds=frozenset({(None, 0)}))
    assert (only(third), third.was_done, third.all_finished) == (only(first), True, True)
    run_events = [e.kind for e in read_events(only(first)) if e.fold_id is None and not isinstance(e.body, Notice)]
    assert run_events == ["RunStarted", "RunStarted", "RunFinished"]


def test_a_fold_that_is_not_there_is_a_mistake(tiny_project, monkeypatch, capsys):
    monkeypatch.chdir(tiny_project)
    for wrong in ("7", "1.0", "x", "", "-1", "1,,2"):
        assert run_command(["run", "--set", INLINE, f"--fold={wrong}"]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) <= 3
    assert not Project.find(tiny_project).run_folders()


@pytest.mark.slow
def test_processes_that_train_one_fold_each_at_once_are_one_run(tiny_project):
    reference = only(carry_out(tiny_project, "train.augment=light"))
    for path in Project.find(tiny_project).run_folders():
        path.rename(tiny_project / f"kept-{path.name}")
    command = [
        sys.executable,
        "-m",
        "foldproof",
        "run",
        "-q",
        "--set",
        "train.augment=light",
        "--set",
        "tracking.enabled=false",
    ]
    processes = [
        subprocess.Popen([*command, "--fold", fold], cwd=tiny_project, stdout=subprocess.DEVNULL)
        for fold in ("1", "0,2")
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    (folder,) = Project.find(tiny_project).run_folders()
    assert_equal_outcome(folder, tiny_project / f"kept-{reference.name}")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX")
def test_a_second_signal_leaves_at_once(tiny_project):
    (tiny_project / "slow.py").write_text(
        "import time\nfrom torch import nn\n\n\nclass Slow(nn.Flatten):\n    def forward(self, images):\n"
        "        time.sleep(0.2 if self.training and images.any() else 0)\n        return super().forward(images)\n\n\n"
        "def slow(*, classes, pretrained):\n    return nn.Sequential(Slow(), nn.Linear(192, classes))\n"
    )
    command = [sys.executable, "-m", "foldproof", "run", "-q", "--set", "tracking.enabled=false", "--set"]
    command += ["train.backbone=slow:slow", "--set", "train.epochs=10000"]
    with subprocess.Popen(command, cwd=tiny_project, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            wait_until(lambda: list(tiny_project.glob("runs/*/fold-*/events.jsonl")), seconds=60)
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C at a terminal does: everybody hears it
            assert process.stderr is not None
            wait_until(lambda: b"stopping" in process.stderr.peek(), seconds=10)  # type: ignore[attr-defined]
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=10)
            assert process.returncode == 130
            assert b"Traceback" not in errors
        finally:
            process.kill()
    (folder,) = Project.find(tiny_project).run_folders()
    assert RunRecord.read(folder).status == "interrupted"


def wait_until(true: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX")
def test_the_same_mlflow_runs_go_on_and_their_curves_have_no_gap_and_nothing_twice(tiny_project, tmp_path):
    from faults.store import compare_store, mlflow_server

    (tmp_path / "server").mkdir()
    with mlflow_server(tmp_path / "server") as server:
        command = [sys.executable, "-m", "foldproof", "run", "-q", "--set", "train.epochs=25", "--set"]
        command += [f"tracking.uri=http://127.0.0.1:{server.port}", "--set", "tracking.experiment=cut off"]
        with subprocess.Popen(command, cwd=tiny_project, start_new_session=True, stdout=subprocess.DEVNULL) as process:
            wait_until(lambda: some_epochs(tiny_project) >= 3, seconds=90)
            os.killpg(process.pid, signal.SIGTERM)  # a job scheduler's: everybody hears it
            began = time.monotonic()
            assert process.wait(timeout=30) == 143
            took = time.monotonic() - began
        assert took < 10
        (folder,) = Project.find(tiny_project).run_folders()
        before = {run.info.run_name: run.info for run in runs_in(server)}
        assert {name: info.status for name, info in before.items()} == dict.fromkeys(before, "KILLED")
        done = subprocess.run([*command, "--resume"], cwd=tiny_project, timeout=120, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
        after = {run.info.run_name: run.info for run in runs_in(server)}
        assert {name: after[name].run_id for name in before} == {name: info.run_id for name, info in before.items()}
        compare_store(server, "cut off", [folder], statuses={})


def runs_in(server) -> list:  # type: ignore[no-untyped-def, type-arg]
    return list(server.client.search_runs([server.experiment_id("cut off")]))


def some_epochs(root: Path) -> int:
    """How many epochs stand in the journals."""
    return sum(
        isinstance(event.body, EpochFinished)
        for path in root.glob("runs/*/fold-*/events.jsonl")
        for event in journal.read(path)
    )
