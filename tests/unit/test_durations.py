"""The longest files start first."""

import json

from lab.durations import Durations


def test_the_file_that_takes_longest_starts_first_and_its_tests_stay_in_order(request, tmp_path):
    ours = [item for item in request.session.items if item.path == request.node.path]
    others = [item for item in request.session.items if item.path != request.node.path]
    (tmp_path / "durations.json").write_text(json.dumps({ours[0].nodeid.partition("::")[0]: {"fast": 1e6}}))
    items = [*others, *ours]
    Durations(tmp_path / "durations.json").pytest_collection_modifyitems(items)
    assert items[: len(ours)] == ours
    assert sorted(map(id, items)) == sorted(map(id, [*others, *ours]))


def test_a_file_that_is_not_in_the_table_counts_by_its_tests(request, tmp_path):
    items = list(request.session.items)
    Durations(tmp_path / "none.json").pytest_collection_modifyitems(items)
    assert set(items) == set(request.session.items)
