"""Resume states: whole or not there, of this fold or not used, and enough to go on to the same bits."""

import hashlib
import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from foldproof.config.identity import canonical_json
from foldproof.config.read import load_settings
from foldproof.errors import DamagedFile, StorageError
from foldproof.events.reuse import Reuse
from foldproof.events.types import CheckpointSaved, FoldStarted, comparable_body
from foldproof.executors import ExecutorContext
from foldproof.executors.inline import InlineExecutor
from foldproof.executors.run_task import train_until
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.training.checkpoint import Checkpoint, weights_sha256
from foldproof.training.loop import Stop, train
from foldproof.training.resuming.saver import Saver
from foldproof.training.resuming.state import State, optimizer_tensors, read, read_latest, restore_optimizer, write
from foldproof.training.resuming.state_files import descriptions, keep_within, prune
from foldproof.training.resuming.warm_start import find_warm_state
from foldproof.training.steps import append_losses, read_losses
from foldproof.training.task import FoldTask, WarmStart
from foldproof.training_data.load import load_training_data
from planned import opened

MODEL = """\
from torch import nn


def with_dropout(*, classes, pretrained):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, classes))
"""
BODY = FoldStarted(train_images=4, validation_images=2, parameters=9, trained_parameters=9, weights_sha256="a" * 64)


def state(epoch: int = 1, step: int = 2, **changed: object) -> State:
    values: dict[str, object] = {
        "fold_key": "k",
        "epoch": epoch,
        "step": step,
        "correct": 3,
        "losses": np.array([0.5, 0.25], dtype=np.float32),
        "bodies": (BODY,),
        "weights": {"a": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)},
        "optimizer": {"a": {"step": torch.tensor(2.0), "exp_avg": torch.ones(2, 3)}},
        "groups": ({"lr": 0.1, "betas": (0.9, 0.999), "foreach": True, "maximize": False},),
    }
    return State(**{**values, **changed})  # type: ignore[arg-type]


def task_of(root: Path, *overrides: str) -> FoldTask:
    """Fold 0 of the project's experiment, ready to be trained."""
    project = Project.find(root)
    loaded = load_settings(project.settings_file, overrides=overrides)
    training_data = load_training_data(project, loaded.settings, allow_dirty=False)
    with (
        closing(Stopping()) as stopping,
        InlineExecutor(ExecutorContext(parallel_folds=1, threads=1, stopping=stopping)) as executor,
    ):
        (planned,) = opened(project, loaded.experiments, training_data, executor, loaded.settings.execution)
    task = planned.tasks[0]
    task.folder.mkdir()
    return task


def trained(task: FoldTask, start: State | None = None) -> list[object]:
    return [body for body in train(task, start) if body is not None]


def compared(bodies: list[object]) -> list[object]:
    return list(filter(None, map(comparable_body, bodies)))  # type: ignore[arg-type]


def test_what_was_written_is_read(tmp_path):
    back = read(write(tmp_path, state()))
    assert (back.fold_key, back.epoch, back.step, back.correct, back.bodies) == ("k", 1, 2, 3, (BODY,))
    assert back.losses.tolist() == [0.5, 0.25]
    assert weights_sha256(back.weights) == weights_sha256(state().weights)
    assert back.optimizer["a"]["step"].shape == ()
    assert back.groups[0]["betas"] == [0.9, 0.999]


def test_the_newest_two_are_kept_and_nothing_else(tmp_path):
    for step in range(5):
        write(tmp_path, state(step=step))
    write(tmp_path, state(step=4))
    assert [path.name for path in descriptions(tmp_path)] == [
        "state-000001-00000003.json",
        "state-000001-00000004.json",
    ]
    assert len(list(tmp_path.iterdir())) == 4
    prune(tmp_path, keep=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_damaged_newest_state_is_passed_over_and_said(tmp_path, suffix):
    write(tmp_path, state(step=1))
    write(tmp_path, state(step=2))
    (newest,) = tmp_path.glob(f"state-000001-00000002*{suffix}")
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    found, notices = read_latest(tmp_path, fold_key="k")
    assert found is not None
    assert found.step == 1
    assert [notice.code for notice in notices] == ["state_damaged"]
    assert "00000002" in notices[0].text


def test_a_state_of_another_arithmetic_is_not_used(tmp_path):
    write(tmp_path, state())
    found, (notice,) = read_latest(tmp_path, fold_key="another")
    assert found is None
    assert notice.code == "state_of_another_arithmetic"


def test_where_nothing_is_there_is_nothing_to_go_on_from(tmp_path):
    assert read_latest(tmp_path, fold_key="k") == (None, ())


def resigned(path: Path, **changed: object) -> Path:
    """The description of a state with something of it changed, and a checksum that fits."""
    about = {**json.loads(path.read_bytes()), **changed}
    del about["sha256"]
    path.write_bytes(canonical_json({**about, "sha256": hashlib.sha256(canonical_json(about)).hexdigest()}))
    return path


def test_a_state_of_a_later_version_is_left_to_it(tmp_path):
    path = write(tmp_path, state())
    (number,) = (json.loads(path.read_bytes())["v"],)
    assert read(resigned(path, v=number)).epoch == 1
    with pytest.raises(DamagedFile, match="of a newer schema"):
        read(resigned(path, v=number + 1))


def test_a_description_whose_checksum_is_another_is_damaged_though_it_reads_well(tmp_path):
    path = write(tmp_path, state())
    about = json.loads(path.read_bytes())
    for wrong in (canonical_json({**about, "epoch": 2}), path.read_bytes() + b" "):
        path.write_bytes(wrong)
        with pytest.raises(DamagedFile, match="its checksum is not what was written"):
            read(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"epoch": "first"},
        {"step": []},
        {"bodies": [3]},
        {"bodies": [{"kind": "no such thing"}]},
        {"bodies": 3},
        {"groups": None},
        {"v": "1"},
        {"bytes": 3},
        {"file": "gone.safetensors"},
    ],
    ids=str,
)
def test_a_description_that_says_nonsense_is_damaged_whatever_it_is(tmp_path, changed):
    with pytest.raises(DamagedFile):
        read(resigned(write(tmp_path, state()), **changed))


@pytest.mark.parametrize("content", [b"{}", b"[]", b"3", b"\xff", b"[" * 100_000, b""], ids=lambda text: str(text[:9]))
def test_what_is_no_description_is_damaged(tmp_path, content):
    path = write(tmp_path, state())
    path.write_bytes(content)
    with pytest.raises(DamagedFile):
        read(path)
    path.unlink()
    with pytest.raises(DamagedFile):
        read(path)


def test_tensors_that_are_none_are_damaged(tmp_path):
    path = write(tmp_path, state())
    (tensors,) = tmp_path.glob("*.safetensors")
    tensors.write_bytes(b"no tensors")
    with pytest.raises(DamagedFile):
        read(resigned(path, bytes=10, file_sha256=hashlib.sha256(b"no tensors").hexdigest()))


@pytest.mark.parametrize(
    "changed", [{"groups": ()}, {"groups": ({}, {})}, {"optimizer": {"another": {"step": torch.tensor(1.0)}}}]
)
def test_the_state_of_another_optimiser_is_refused(changed):
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(net.parameters())
    with pytest.raises(ValueError, match="its optimiser differs"):
        restore_optimizer(net, optimizer, state(**changed))


def test_losses_of_steps_stand_at_their_place_and_what_was_there_behind_them_is_gone(tmp_path):
    def losses(*values: float) -> np.ndarray:
        return np.array(values, dtype=np.float32)

    append_losses(tmp_path, losses(1, 2, 3), first_step=0)
    append_losses(tmp_path, losses(4, 5), first_step=3)
    assert read_losses(tmp_path).tolist() == [1, 2, 3, 4, 5]
    append_losses(tmp_path, losses(6), first_step=2)
    assert read_losses(tmp_path).tolist() == [1, 2, 6]
    assert (tmp_path / "steps.f32").read_bytes() == np.array([1, 2, 6], dtype="<f4").tobytes()
    assert read_losses(tmp_path).dtype == np.float32
    with pytest.raises(StorageError, match="cannot write"):
        append_losses(tmp_path / "gone", losses(1), first_step=0)


def test_states_of_a_fold_whose_journal_cannot_be_read_stay_and_unreadable_ones_go_when_they_are_old(tmp_path):
    folder = tmp_path / "a" / "fold-0-0"
    folder.mkdir(parents=True)
    write(folder, state(step=1))
    (folder / "events.jsonl").write_bytes(b"no journal\n")
    keep_within([tmp_path / "a"], limit_bytes=0)
    assert len(descriptions(folder)) == 1
    (folder / "state-000001-00000000.json").write_bytes(b"[]")
    write(folder, state(step=2))
    assert [path.name for path in descriptions(folder)] == ["state-000001-00000001.json", "state-000001-00000002.json"]


@pytest.mark.parametrize("name", ["../out.safetensors", "/etc/passwd", "link.safetensors"])
def test_a_state_reads_nothing_outside_its_folder(tmp_path, name):
    folder = tmp_path / "fold"
    folder.mkdir()
    path = write(folder, state())
    (tensors,) = folder.glob("*.safetensors")
    shutil.copy(tensors, tmp_path / "out.safetensors")
    (folder / "link.safetensors").symlink_to(tmp_path / "out.safetensors")
    with pytest.raises(DamagedFile):
        read(resigned(path, file=name))


def test_states_of_finished_folds_go_when_there_are_too_many_and_no_others(tmp_path):
    from foldproof.events.journal import JournalWriter
    from foldproof.events.types import FoldFinished

    end = FoldFinished(epochs=1, scores={}, per_class={}, weights_sha256="", predictions_sha256="")
    for run, body in (("a", end), ("b", BODY), ("c", end)):
        folder = tmp_path / run / "fold-0-0"
        folder.mkdir(parents=True)
        write(folder, state())
        with JournalWriter(folder, run=run, repeat=0, fold=0, about={}) as journal:
            journal.append(body)
    folders = [tmp_path / run for run in "abc"]
    size = sum(path.stat().st_size for path in (tmp_path / "a" / "fold-0-0").glob("state-*"))
    keep_within(folders, limit_bytes=3 * size)
    assert all(descriptions(folder / "fold-0-0") for folder in folders)
    keep_within(folders, limit_bytes=2 * size)
    assert [bool(descriptions(folder / "fold-0-0")) for folder in folders] == [False, True, True]
    keep_within(folders, limit_bytes=0)
    assert [bool(descriptions(folder / "fold-0-0")) for folder in folders] == [False, True, False]


def test_a_saver_writes_beside_and_says_what_is_on_disk(tmp_path):
    with Saver(tmp_path, every=0.0) as saver:
        assert saver.due
        saver.begin(state(step=1))
        assert not saver.due
        (said,) = (saver.last(state(step=2)),)
        assert [body.file for body in said] == ["state-000001-00000001.json", "state-000001-00000002.json"]
    with Saver(tmp_path, every=3600.0) as saver:
        assert not saver.due


def test_a_state_that_cannot_be_written_is_an_error_and_the_one_before_stays(tmp_path):
    write(tmp_path, state(step=1))
    with Saver(tmp_path / "gone", every=0.0) as saver, pytest.raises(StorageError):
        list(saver.last(state(step=2)))
    assert read(descriptions(tmp_path)[0]).step == 1


@pytest.fixture(
    params=["dropout", *(pytest.param(name, marks=pytest.mark.slow) for name in ("small_cnn", "sgd", "frozen"))]
)
def task(request, tiny_project) -> FoldTask:
    (tiny_project / "models_of_state.py").write_text(MODEL)
    overrides = {
        "small_cnn": [],
        "dropout": ["train.backbone=models_of_state:with_dropout", "train.augment=light"],
        "sgd": ["train.optimizer=sgd", "train.schedule=cosine", "train.augment=light", "train.batch_size=5"],
        "frozen": ["train.freeze_backbone=true"],
    }[request.param]
    return task_of(tiny_project, *overrides)


@pytest.mark.slow
def test_from_wherever_a_fold_is_stopped_it_goes_on_to_the_same_bits(task):
    whole = trained(task)
    weights = weights_sha256(Checkpoint.load(task.folder / "model.safetensors").weights)
    losses = (task.folder / "steps.f32").read_bytes()
    pauses = sum(body is None for body in train(task))
    for count in range(1, pauses + 1):
        for path in task.folder.iterdir():
            path.unlink()
        seen = 0

        def enough() -> bool:
            nonlocal seen
            seen += 1
            return seen == count  # noqa: B023

        before = list(train_until(enough, train(task)))
        assert isinstance(before[-1], CheckpointSaved)
        start, _ = read_latest(task.folder, fold_key=task.fold_key)
        assert start is not None
        (task.folder / "steps.f32").unlink(missing_ok=True)
        assert compared(trained(task, start)) == compared(whole)
        assert weights_sha256(Checkpoint.load(task.folder / "model.safetensors").weights) == weights
        assert (task.folder / "steps.f32").read_bytes() == losses
        assert len(descriptions(task.folder)) <= 2


@pytest.mark.slow
def test_a_finished_fold_keeps_the_state_from_which_its_last_epoch_can_be_trained_again(task):
    whole = trained(task)
    before_last, at_the_end = map(read, descriptions(task.folder))
    assert (before_last.epoch, before_last.step) == (task.train.epochs, 0)
    assert at_the_end.epoch == task.train.epochs + 1
    assert compared(trained(task, before_last)) == compared(whole)


@pytest.mark.slow
def test_a_fold_that_ends_early_says_what_the_whole_fold_says_until_there(task):
    whole = compared(trained(task))
    early = compared(trained(replace(task, stop_after=1)))
    assert early == whole[: len(early)]
    assert [kind for kind, _ in early] == ["FoldStarted", "EpochFinished"]


@pytest.mark.slow
def test_from_the_last_state_of_a_finished_fold_only_its_results_are_made_again(task):
    whole = trained(task)
    start, _ = read_latest(task.folder, fold_key=task.fold_key)
    assert start is not None
    assert start.epoch == task.train.epochs + 1
    assert compared(trained(task, start)) == compared(whole)


@pytest.mark.slow
def test_a_state_of_another_network_is_refused(task):
    list(train(task))
    start, _ = read_latest(task.folder, fold_key=task.fold_key)
    assert start is not None
    with pytest.raises(DamagedFile, match=r"no state of this fold: Error\(s\) in loading state_dict"):
        trained(task, replace(start, weights={"a": torch.zeros(1)}))


@pytest.mark.slow
def test_a_stop_is_a_wish_that_ends_a_training_with_a_checkpoint(task):
    training = train(task)
    assert isinstance(next(training), FoldStarted)
    assert next(training) is None
    assert isinstance(training.throw(Stop()), CheckpointSaved)
    assert list(training) == []


@pytest.mark.parametrize("kernel", ["foreach", "fused"])
def test_a_restored_optimiser_goes_on_as_if_it_had_never_stopped_whatever_the_memory_layout(kernel):
    def start() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(1)
        net = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        return net, torch.optim.Adam(net.parameters(), lr=0.01, **{kernel: True})

    def steps(net: torch.nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        images = torch.linspace(-1, 1, 2 * 3 * 5 * 5).reshape(2, 3, 5, 5)
        for _ in range(count):
            optimizer.zero_grad()
            net(images.to(memory_format=torch.channels_last)).square().sum().backward()
            optimizer.step()

    whole, optimizer = start()
    steps(whole, optimizer, 2)
    tensors, groups = optimizer_tensors(whole, optimizer)
    stored = replace(
        state(step=2),
        weights={name: tensor.clone() for name, tensor in whole.state_dict().items()},
        optimizer={
            name: {key: tensor.contiguous().clone() for key, tensor in own.items()} for name, own in tensors.items()
        },
        groups=groups,
    )
    steps(whole, optimizer, 3)
    other, again = start()
    other.load_state_dict(dict(stored.weights))
    restore_optimizer(other, again, stored)
    steps(other, again, 3)
    assert weights_sha256(other.state_dict()) == weights_sha256(whole.state_dict())


def test_a_state_that_does_not_fit_the_memory_is_not_read(tmp_path, monkeypatch):
    write(tmp_path, state())
    (description,) = descriptions(tmp_path)
    assert read(description).step == 2
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=10))
    with pytest.raises(DamagedFile, match="bytes do not fit the memory"):
        read(description)


@pytest.mark.slow
def test_a_fold_begins_with_the_end_of_another_that_is_there_whole_and_meant(tiny_project):
    short = task_of(tiny_project, "train.epochs=2")
    trained(short)
    folder = short.folder.rename(tiny_project / "kept")
    shutil.rmtree(short.folder.parent)
    longer = task_of(tiny_project, "train.epochs=3")
    reuse = Reuse(run="a-run", experiment="one", epochs=2)
    meant = WarmStart(reuse=reuse, fold_key=short.fold_key, folder=folder)
    found, notices = find_warm_state(replace(longer, warm_starts=(meant,)))
    assert notices == ()
    assert (found.reuse, found.state.fold_key, found.state.epoch, found.state.step) == (reuse, longer.fold_key, 3, 0)
    assert compared(trained(longer, found.state)) == compared(trained(longer))
    elsewhere = replace(meant, folder=tiny_project / "nowhere")
    another = replace(meant, fold_key="another")
    found, notices = find_warm_state(replace(longer, warm_starts=(elsewhere, another, meant)))
    assert found.reuse == reuse
    assert [notice.code for notice in notices] == ["beginning_missing"] * 2
    assert "holds no state of its end" in notices[0].text
    assert "belongs to a different fold" in notices[1].text
    assert find_warm_state(replace(longer, warm_starts=(another,)))[0] is None
    assert find_warm_state(longer) == (None, ())
