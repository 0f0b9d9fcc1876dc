"""Folds that train by turns in one process: what they would be one after another."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from foldproof.config.read import load_settings
from foldproof.errors import StorageError
from foldproof.events.journal import group_by_fold, is_written
from foldproof.events.types import EpochFinished, Event, FoldFinished, Notice
from foldproof.executors import ExecutorContext
from foldproof.executors.inline import InlineExecutor
from foldproof.executors.interleaved import InterleavedExecutor
from foldproof.executors.run_task import journal_of
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.training.task import FoldTask
from foldproof.training_data.load import load_training_data
from planned import opened

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: "taking_turns:with_dropout", augment: light, batch_size: 2, epochs: 4, seed: 5}
"""
MODEL = """\
from torch import nn


def with_dropout(*, classes, pretrained):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, classes))
"""


@pytest.fixture
def stopping() -> Iterator[Stopping]:
    with closing(Stopping()) as one:
        yield one


@pytest.fixture
def planned(tmp_path: Path, make_images: Callable[..., Path], stopping: Stopping) -> Callable[..., Sequence[FoldTask]]:
    """The three folds of a new run of a model with dropout and batch normalisation, under augmentation."""
    make_images(tmp_path / "images")
    (tmp_path / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "taking_turns.py").write_text(MODEL, encoding="utf-8")
    project = Project.find(tmp_path)
    training_data = load_training_data(project, load_settings(project.settings_file).settings, allow_dirty=False)

    def plan(*overrides: str) -> Sequence[FoldTask]:
        loaded = load_settings(project.settings_file, overrides=overrides)
        with InlineExecutor(ExecutorContext(parallel_folds=1, threads=1, stopping=stopping)) as executor:
            (run,) = opened(project, loaded.experiments, training_data, executor, loaded.settings.execution)
        return run.tasks

    return plan


def inline(tasks: Sequence[FoldTask]) -> list[Event]:
    with ExitStack() as held:
        stopping = held.enter_context(closing(Stopping()))
        return list(InlineExecutor(ExecutorContext(parallel_folds=1, threads=1, stopping=stopping)).run(tasks))


def by_turns(tasks: Sequence[FoldTask], stopping: Stopping, *, at_once: int = 2) -> Iterator[Event]:
    context = ExecutorContext(parallel_folds=at_once, threads=1, stopping=stopping)
    return InterleavedExecutor(context).run(tasks)


@pytest.mark.slow
def test_folds_by_turns_say_what_they_say_one_after_another(planned, stopping):
    events = list(by_turns(planned(), stopping))
    assert group_by_fold(events) == group_by_fold(inline(planned()))
    folds = [event.fold for event in events]
    assert folds != sorted(folds), "one fold after another would prove nothing"
    assert folds.index(2) > max(folds.index(0), folds.index(1)), "no more than two at once"


@pytest.mark.slow
def test_folds_that_settle_the_process_otherwise_do_not_train_by_turns(planned, stopping):
    tasks = planned()
    other = replace(tasks[1], model=replace(tasks[1].model, threads=2))
    folds = [event.fold for event in by_turns([tasks[0], other], stopping)]
    assert folds == sorted(folds)


@pytest.mark.slow
def test_stopped_folds_keep_a_checkpoint_each_and_go_on_to_the_same_bits(planned, stopping):
    tasks = planned()
    before = []
    for event in by_turns(tasks, stopping):
        before.append(event)
        if isinstance(event.body, EpochFinished):
            stopping.ask()
    assert {event.fold for event in before} == {0, 1}, "a fold that had not begun does not begin"
    assert all(list(task.folder.glob("state-*.json")) for task in tasks[:2])
    after = inline(tasks)
    assert group_by_fold([*before, *after]) == group_by_fold(inline(planned()))


@pytest.mark.slow
def test_where_nothing_can_be_written_any_more_no_fold_goes_on_and_no_journal_stays_held(planned, stopping):
    tasks = planned()
    tasks[1].folder.write_text("in the way")
    with pytest.raises(StorageError):
        list(by_turns(tasks, stopping))
    assert not is_written(tasks[0].folder)
    with journal_of(tasks[0], executor="inline") as journal:
        assert not any(event.kind == "FoldFinished" for event in journal.events)


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_folds_on_streams_in_turn_and_a_second_try_give_the_same_weights_captured_or_not(planned, stopping):
    gpu, captured = "execution.device=cuda", "execution.cuda_graphs=true"
    on_streams = list(by_turns(planned(gpu, captured), stopping, at_once=3))
    assert not [event.body for event in on_streams if isinstance(event.body, Notice)]
    again = list(by_turns(planned(gpu, captured), stopping, at_once=3))
    in_turn, not_captured = inline(planned(gpu, captured)), inline(planned(gpu))
    assert group_by_fold(on_streams) == group_by_fold(again) == group_by_fold(in_turn) == group_by_fold(not_captured)
    assert any(isinstance(event.body, FoldFinished) for event in on_streams)
