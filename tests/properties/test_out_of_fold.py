"""Rows of predictions: what names one, which were drawn together, and which two runs have in common, written out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.analysis.out_of_fold import OutOfFold, read_out_of_fold
from foldproof.analysis.pairing import FOLDS, LABELS, find_common
from foldproof.errors import DamagedFile
from scored import Scored, write_run

Drawn = tuple[str, int, int, int, str, int]  # content, repeat, fold, label, group, predicted class
CLASSES = ("ant", "bee", "cat")
rows = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 1),
        st.integers(0, 1),
        st.integers(0, 2),
        st.sampled_from(["", "", "x", "y"]),
        st.integers(0, 2),
    ),
    max_size=8,
)


def table(drawn: Sequence[Drawn], classes: Sequence[str] = CLASSES) -> OutOfFold:
    contents, repeats, folds, labels, groups, said = map(list, zip(*drawn, strict=True)) if drawn else [[]] * 6
    return OutOfFold(
        classes=tuple(classes),
        paths=np.array(contents, dtype=np.str_),
        sha256=np.array(contents, dtype=np.str_),
        groups=np.array(groups, dtype=np.str_),
        labels=np.array(labels, dtype=np.int64),
        repeats=np.array(repeats, dtype=np.int64),
        folds=np.array(folds, dtype=np.int64),
        probabilities=np.eye(3, dtype=np.float32)[np.array(said, dtype=np.int64)],
    )


def names(drawn: Sequence[Drawn]) -> list[str]:
    return [
        f"{repeat} {content} "
        + str(
            sum(
                (other[0], other[1]) == (content, repeat) and (other[3], at) < (label, number)
                for at, other in enumerate(drawn)
            )
        )
        for number, (content, repeat, _, label, _, _) in enumerate(drawn)
    ]


@given(rows)
def test_a_row_is_named_by_repeat_content_and_which_of_equal_ones_by_label_it_is(drawn):
    assert table(drawn).row_names.tolist() == names(drawn)
    assert len(set(names(drawn))) == len(drawn)


@given(rows)
def test_images_of_a_group_were_drawn_together_and_others_with_their_copies_alone(drawn):
    units = table(drawn).units.tolist()
    for one, (content, _, _, _, group, _) in enumerate(drawn):
        for other, (its_content, _, _, _, its_group, _) in enumerate(drawn):
            together = group == its_group and (group != "" or content == its_content)
            assert (units[one] == units[other]) == together
    assert sorted(set(units)) == list(range(len(set(units))))


@given(rows, st.data())
def test_two_runs_have_in_common_the_rows_of_one_name_where_folds_and_labels_of_all_these_agree(drawn, data):
    changed = data.draw(st.sampled_from(["nothing", "nothing", "a fold", "a label"]))
    here = [row for row in drawn if data.draw(st.booleans())]
    there = data.draw(st.permutations([row for row in drawn if data.draw(st.booleans())]))
    if there and changed != "nothing":
        content, repeat, fold, label, group, said = there[0]
        there[0] = (
            (content, repeat, fold, (label + 1) % 3, group, said)
            if changed == "a label"
            else (content, repeat, 1 - fold, label, group, said)
        )
    order = data.draw(st.permutations(range(3)))  # the other run numbers its classes otherwise
    turned = [(row[0], row[1], row[2], order.index(row[3]), row[4], row[5]) for row in there]
    found = find_common(table(here), table(turned, [CLASSES[number] for number in order]))
    here_by_name = dict(zip(names(here), here, strict=True))
    there_by_name = dict(zip(names(turned), there, strict=True))
    both = [name for name in here_by_name if name in there_by_name]
    if not both or any(here_by_name[name][2] != there_by_name[name][2] for name in both):
        assert found == FOLDS
    elif any(here_by_name[name][3] != there_by_name[name][3] for name in both):
        assert found == LABELS
    else:
        assert found.a.sha256.tolist() == [here_by_name[name][0] for name in both]
        assert found.a.repeats.tolist() == [here_by_name[name][1] for name in both]
        assert found.b.sha256.tolist() == [there_by_name[name][0] for name in both]
        assert found.b.folds.tolist() == [there_by_name[name][2] for name in both]
        contents_here, contents_there = {row[0] for row in here}, {row[0] for row in there}
        assert found.only_in_a == len(contents_here - contents_there)
        assert found.only_in_b == len(contents_there - contents_here)
        assert found.images == len({here_by_name[name][0] for name in both})


def test_predictions_of_a_run_are_read_fold_by_fold_and_those_of_a_class_that_it_does_not_have_refused(tmp_path):
    record = write_run(tmp_path, "20260102-030405-abcdef", Scored(k=2, repeats=2, epochs=1, each=4, groups=3))
    found = read_out_of_fold(record)
    assert found.fold_ids == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert len(found) == 2 * 12
    assert sorted(found.sha256[found.repeats == 0]) == sorted(found.sha256[found.repeats == 1])
    for place, done in record.finished.items():
        here = (found.repeats == place[0]) & (found.folds == place[1])
        accuracy = (found.predicted == found.labels)[here].mean()
        assert accuracy == pytest.approx(done.scores["accuracy"])
    assert set(found.groups) != {""}
    other = replace(record, facts={**record.facts, "classes": ["ant", "bee", "dog"]})
    with pytest.raises(DamagedFile, match="predictions of a class that the run does not have"):
        read_out_of_fold(other)
    none = read_out_of_fold(replace(record, finished={}))
    assert (len(none), none.probabilities.shape, none.fold_ids) == (0, (0, 3), ())
