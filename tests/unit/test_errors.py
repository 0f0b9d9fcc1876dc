"""Errors: one tree, what is wrong and the next step, the same on the other side of a process."""

import pickle

import pytest

from foldproof import errors
from foldproof.errors import FoldproofError, nearest

KINDS = [FoldproofError, *FoldproofError.__subclasses__()]


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = {line.split()[1] for line in (errors.__doc__ or "").splitlines() if line.startswith(("├", "└"))}
    here = {kind.__name__ for kind in FoldproofError.__subclasses__() if kind.__module__ == errors.__name__}
    assert drawn == here


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_is_wrong_and_below_it_the_next_step(kind: type[FoldproofError]) -> None:
    error = kind("no image is readable", next_step="look at them")
    assert str(error) == "no image is readable\n  look at them"
    assert str(kind("nothing to do")) == "nothing to do"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_a_process_whole(kind: type[FoldproofError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what", next_step="next")))
    assert (type(error), error.what, error.next_step) == (kind, "what", "next")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("adm", "did you mean 'adam'?"), ("adamw", "did you mean 'adamw'?"), ("lion", ""), ("", "")],
)
def test_the_nearest_name_is_offered_only_when_it_is_near(name: str, hint: str) -> None:
    assert nearest(name, ("adam", "adamw", "sgd")) == hint


def test_nothing_is_near_where_nothing_is_known() -> None:
    assert nearest("adam", ()) == ""
