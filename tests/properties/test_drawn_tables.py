"""Tables drawn over all that people vary: each is read as it was meant, or refused; never otherwise in silence."""

from collections import Counter
from pathlib import Path

import pytest

from drawn_tables import Drawn, drawn
from foldproof.data.labels.describe import describe
from foldproof.data.labels.said import Rules
from foldproof.errors import DataError

USUAL, THOROUGH = 48, 500
MOST_REFUSED = 0.25  # a reader that refuses all would keep the promise too


def outcome(made: Drawn, folder: Path) -> str:
    """`right`, or the first line of a refusal. Fails where something else than the truth was read."""
    (folder / "labels.csv").write_bytes(made.content)
    try:
        described = describe(made.paths, folder / "photos", Rules(table=folder / "labels.csv"))
    except DataError as refusal:
        return refused(refusal, made.told)
    if described.lacking:
        return "rows without an image, which stop a run"
    assert described.said.keys() == made.truth.keys(), made.told
    same_parts({(said.label, made.truth[path][0]) for path, said in described.said.items()}, made.told)
    if made.group_column:
        assert "not used: " in described.notes[0], made.told
    else:
        same_parts({(said.group, made.truth[path][1]) for path, said in described.said.items()}, made.told)
        assert all(not said.group for path, said in described.said.items() if not made.truth[path][1]), made.told
    return "right"


def refused(error: DataError, told: str) -> str:
    assert error.next_step, told
    assert len(str(error).splitlines()) <= 3, told
    return error.what


def same_parts(pairs: set[tuple[str, str]], told: str) -> None:
    """Each name that was read stands for one that was meant, and the other way round."""
    assert len(pairs) == len({read for read, _ in pairs}) == len({meant for _, meant in pairs}), (told, pairs)


def holds(folder: Path, seeds: range) -> None:
    outcomes = Counter(outcome(drawn(seed), folder) for seed in seeds)
    assert outcomes["right"] > (1 - MOST_REFUSED) * len(seeds), outcomes


def test_a_drawn_table_is_read_as_it_was_meant_or_refused(tmp_path):
    holds(tmp_path, range(USUAL))


@pytest.mark.thorough
def test_hundreds_of_drawn_tables_are_read_as_they_were_meant_or_refused(tmp_path):
    holds(tmp_path, range(USUAL, USUAL + THOROUGH))
