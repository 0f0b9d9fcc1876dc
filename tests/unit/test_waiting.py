"""Which tasks may begin: in the planned order, but never before what they begin with has ended."""

from types import SimpleNamespace
from typing import cast

from foldproof.executors.waiting import Waiting
from foldproof.training.task import FoldTask


def task(name: str, *beginnings: str) -> FoldTask:
    made = SimpleNamespace(folder=name, beginnings=[SimpleNamespace(folder=one) for one in beginnings])
    return cast("FoldTask", made)


def test_tasks_without_beginnings_come_in_the_planned_order():
    a, b = task("a"), task("b")
    waiting = Waiting([a, b])
    assert (waiting.take(), bool(waiting), waiting.take([a]), bool(waiting)) == (a, True, b, False)
    assert waiting.take() is None


def test_a_task_waits_for_each_of_its_beginnings_that_waits_or_is_trained_and_for_no_other():
    five, two, one, other = task("five", "two", "one"), task("two", "one"), task("one"), task("other", "long ago")
    waiting = Waiting([five, two, one, other])
    assert waiting.take() is one
    assert waiting.take([one]) is other
    assert waiting.take([one, other]) is None
    assert waiting.take([other]) is two
    assert waiting.take([two]) is None
    assert waiting.take() is five
