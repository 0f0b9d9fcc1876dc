"""Where the time of a fold went."""

import time

import pytest

from foldproof.events.types import EpochFinished, FoldFinished, Notice
from foldproof.training import spent
from foldproof.training.loop import Stop
from foldproof.training.stopwatch import STILL, Running

END = FoldFinished(epochs=1, scores={}, per_class={}, weights_sha256="", predictions_sha256="")
EPOCH = EpochFinished(
    epoch=1, steps=1, lr=1.0, train_loss=1.0, train_accuracy=1.0, val_loss=1.0, val_accuracy=1.0, weights_sha256=""
)


def training(watch):
    with watch.part("step"):
        with watch.part("forward"):
            time.sleep(0.02)
        time.sleep(0.01)
    yield None
    scored = yield from watch.over("validation", scoring())
    assert scored == 7
    yield EPOCH
    yield END


def scoring():
    time.sleep(0.01)
    yield None
    return 7


def test_of_nested_parts_the_inner_counts_and_all_together_are_the_whole_time():
    began = time.perf_counter()
    watch = Running("cpu")
    bodies = []
    for body in watch.whole(training(watch)):
        bodies.append(body)
        if body is EPOCH:
            time.sleep(0.02)
    whole = time.perf_counter() - began
    (told,) = [seconds for body in bodies if body is not None and (seconds := spent.told(body))]
    assert told["forward"] >= 0.02
    assert told["step"] >= 0.01
    assert told["validation"] >= 0.01
    assert told["logging"] >= 0.02
    assert 0.06 <= sum(told.values()) <= whole + 0.001  # each is rounded
    assert [body for body in bodies if not isinstance(body, Notice)] == [None, None, EPOCH, END]
    assert bodies[-1] is END  # with it the run may end


def test_a_watch_that_stands_still_changes_nothing():
    assert [*STILL.whole(training(STILL))] == [None, None, EPOCH, END]


def test_a_training_that_is_stopped_says_its_last_and_where_its_time_went():
    def stopped():
        try:
            yield None
        except Stop:
            yield EPOCH

    watched = Running("cpu").whole(stopped())
    assert next(watched) is None
    assert watched.throw(Stop()) is EPOCH
    assert spent.told(next(watched)) is not None
    with pytest.raises(StopIteration):
        next(watched)


def test_what_stands_in_a_journal_is_read_back():
    assert spent.told(spent.notice({"forward": 1.25, "start-up": 0.5})) == {"start-up": 0.5, "forward": 1.25}
    assert spent.told(Notice(code="other", text="forward 1.0000 s")) is None
    assert spent.sum_folds([{"forward": 1.0}, {"forward": 2.0, "idle": 3.0}]) == {"forward": 3.0, "idle": 3.0}


def test_every_second_is_counted_once_in_the_part_that_it_belongs_to(monkeypatch):
    """By a clock that goes on by one at each look."""
    clock = iter(range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    watch = Running("cpu")  # 0
    with watch.part("step"):  # 1: other 1
        with watch.part("forward"):  # 2: step 1
            pass  # 3: forward 1
        with watch.part("backward"):  # 4: step 2
            pass  # 5: backward 1
    # 6: step 3
    with pytest.raises(RuntimeError), watch.part("validation"):  # 7: other 2
        raise RuntimeError  # 8: validation 1
    (notice,) = [body for body in watch.whole(iter(())) if body is not None]
    assert spent.told(notice) == {
        "forward": 1.0,
        "backward": 1.0,
        "step": 3.0,
        "validation": 1.0,
        "other": 2.0,
    }
