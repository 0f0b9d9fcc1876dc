"""By what a table was judged: it comes back from its file, and what no run writes is refused."""

import json

import pytest

from foldproof.analysis.judged import STATISTICS, Judged
from foldproof.errors import DamagedFile

WHOLE = {"v": 1, "metric": "accuracy", "rope": 0.01, "runs": ["one", "two"], "statistics": 1}


@pytest.mark.parametrize(
    "judged",
    [
        Judged(metric="accuracy", rope=0.01, runs=("20260102-030405-abcdef", "two"), statistics=3),
        Judged(metric="m" * 500, rope=0.0, runs=()),
        Judged(metric="own:metric", rope=1e9, runs=("one",), states={"one": "a state"}),
    ],
)
def test_what_is_written_is_read(judged):
    content = judged.to_json()
    assert Judged.parse(content) == judged
    assert content.endswith(b"}\n")
    assert json.loads(content)["v"] == 2


def test_the_statistics_of_here_are_written_unless_others_are_named():
    assert Judged(metric="accuracy", rope=0.0, runs=()).statistics == STATISTICS


def test_a_range_that_is_a_whole_number_is_read_as_a_fraction():
    found = Judged.parse(json.dumps({**WHOLE, "rope": 1}).encode())
    assert (found.rope, type(found.rope)) == (1.0, float)


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in ("metric", "rope", "runs", "statistics")),
        *({"metric": metric} for metric in ("m" * 501, 3)),
        *({"rope": rope} for rope in (-0.001, 1.1e9, "0.1", True, float("nan"))),
        *({"statistics": number} for number in (1.0, "1", True)),
        *({"states": states} for states in ("one", ["one"], {"one": 3})),
        *({"runs": runs} for runs in ("one", {"one": 1}, ["../one"], [3])),
    ],
    ids=str,
)
def test_what_no_run_writes_is_refused(changed):
    with pytest.raises(DamagedFile, match=r"is not as a run writes it|a run id was expected"):
        Judged.parse(json.dumps({**WHOLE, **changed}).encode())
    assert Judged.parse(json.dumps(WHOLE).encode()).metric == "accuracy"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b"3"], ids=lambda text: str(text[:9]))
def test_what_is_no_table_of_names_is_refused(content):
    with pytest.raises(DamagedFile):
        Judged.parse(content)
