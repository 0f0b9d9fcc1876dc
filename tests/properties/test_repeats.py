"""Which runs were the same experiment once more, against a plain search through drawn runs."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from foldproof.analysis.repeats import find_repeats
from foldproof.events.types import FoldFinished
from foldproof.records.record import RunRecord
from journaled import HEX, epoch

FOLDS = [(0, 0), (0, 1)]
outcomes = st.sampled_from(["not begun", "begun", "finished", "other epochs", "other weights", "other metrics"])
runs = st.lists(st.tuples(st.sampled_from("ab"), st.tuples(outcomes, outcomes)), min_size=1, max_size=5)


FINISHED = FoldFinished(epochs=1, scores={"accuracy": 0.5}, per_class={}, weights_sha256=HEX, predictions_sha256=HEX)
ENDS = {
    "other weights": replace(FINISHED, weights_sha256=HEX[::-1]),
    "other metrics": replace(FINISHED, scores={"accuracy": 0.5, "one more": math.nan}),
}


def record(folder, identity: str, folds: tuple[str, str]) -> RunRecord:
    begun = {place: outcome for place, outcome in zip(FOLDS, folds, strict=True) if outcome != "not begun"}
    return RunRecord(
        folder=folder,
        facts={"identity": identity},
        started=None,
        started_at=None,
        ended_at=None,
        status="interrupted",
        fold_started={},
        epochs={
            place: (epoch(place, 1, train_loss=7.0 if outcome == "other epochs" else 1.5),)
            for place, outcome in begun.items()
        },
        finished={place: ENDS.get(outcome, FINISHED) for place, outcome in begun.items() if outcome != "begun"},
        failed={},
        notices=(),
    )


def done(outcome: str) -> bool:
    return outcome not in ("not begun", "begun")


def came_out(outcome: str) -> str:
    """A metric more or less is no other result."""
    return "finished" if outcome == "other metrics" else outcome


@given(runs)
def test_a_run_is_the_first_of_its_identity_once_more_where_both_finished_a_fold_and_the_same_where_those_of_both_are(
    tmp_path_factory, drawn
):
    folder = tmp_path_factory.getbasetemp()
    records = {str(number): record(folder, identity, folds) for number, (identity, folds) in enumerate(drawn)}
    expected = {}
    for number, (identity, folds) in enumerate(drawn):
        first = next(at for at, (other, _) in enumerate(drawn) if other == identity)
        if number != first and any(map(done, folds)) and any(map(done, drawn[first][1])):
            both = [
                (one, other) for one, other in zip(drawn[first][1], folds, strict=True) if done(one) and done(other)
            ]
            expected[str(number)] = (
                str(first),
                both != [] and all(came_out(one) == came_out(other) for one, other in both),
            )
    assert find_repeats(records) == expected
