"""Which tasks may begin: in the planned order, but never before what they begin with has ended."""

from types import SimpleNamespace
from typing import cast

from foldproof.executors.queue import FoldQueue
from foldproof.training.task import FoldTask


def task(name: str, *warm_starts: str) -> FoldTask:
    made = SimpleNamespace(folder=name, warm_starts=[SimpleNamespace(folder=one) for one in warm_starts])
    return cast("FoldTask", made)


def test_tasks_without_warm_starts_come_in_the_planned_order():
    a, b = task("a"), task("b")
    queue = FoldQueue([a, b])
    assert (queue.take(), bool(queue), queue.take([a]), bool(queue)) == (a, True, b, False)
    assert queue.take() is None


def test_a_task_waits_for_each_of_its_warm_starts_that_waits_or_is_trained_and_for_no_other():
    five, two, one, other = task("five", "two", "one"), task("two", "one"), task("one"), task("other", "long ago")
    queue = FoldQueue([five, two, one, other])
    assert queue.take() is one
    assert queue.take([one]) is other
    assert queue.take([one, other]) is None
    assert queue.take([other]) is two
    assert queue.take([two]) is None
    assert queue.take() is five
