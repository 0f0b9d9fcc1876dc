"""One fold of a run has one name in words, one as it is typed, and one folder."""

import pickle
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from foldproof.events.fold_id import FoldId

NUMBERS = st.integers(0, 999)
FOLDS = st.builds(FoldId, NUMBERS, NUMBERS)


def test_a_fold_is_named_by_its_number_and_in_later_repeats_by_both():
    assert (str(FoldId(0, 3)), str(FoldId(1, 3))) == ("fold 3", "fold 1.3")
    assert (FoldId(0, 3).short(repeats=1), FoldId(0, 3).short(repeats=2)) == ("3", "0.3")
    assert FoldId(1, 3).folder(Path("run")) == Path("run/fold-1-3")


@given(FOLDS)
def test_the_name_of_its_folder_tells_the_fold(fold_id):
    assert FoldId.of_folder(fold_id.folder_name) == fold_id
    assert pickle.loads(pickle.dumps(fold_id)) == fold_id


@given(st.text() | st.from_regex(r"fold-0*\d{1,4}-0*\d{1,4}"))
def test_a_fold_has_one_folder(name):
    fold_id = FoldId.of_folder(name)
    assert fold_id is None or fold_id.folder_name == name


@given(FOLDS, FOLDS)
def test_folds_are_in_order_of_repeats_and_no_two_share_a_name(one, other):
    assert (one < other) == ((one.repeat, one.fold) < (other.repeat, other.fold))
    names = {(str(fold_id), fold_id.short(repeats=2), fold_id.folder_name) for fold_id in (one, other)}
    assert len(names) == len({one, other})
