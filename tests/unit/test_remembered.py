"""Results that are kept beside what they depend on."""

from foldproof.data.checks.remembered import remembered


def counting(value):
    calls = []

    def compute():
        calls.append(1)
        return value

    return compute, calls


def test_a_result_is_computed_once_for_a_key(tmp_path):
    compute, calls = counting([1, "a", {"b": 2.5}])
    for _ in range(3):
        assert remembered(tmp_path / "cache", "x", key="k", compute=compute) == [1, "a", {"b": 2.5}]
    assert len(calls) == 1
    assert remembered(tmp_path / "cache", "x", key="other", compute=lambda: 7) == 7


def test_a_damaged_file_is_computed_anew(tmp_path):
    compute, calls = counting(5)
    for content in (b"", b"[1]", b'{"key": "k"}', b"\xff\xff"):
        (tmp_path / "x.json").write_bytes(content)
        assert remembered(tmp_path, "x", key="k", compute=compute) == 5
    assert len(calls) == 4


def test_where_nothing_can_be_kept_it_is_computed_each_time(tmp_path):
    (tmp_path / "file").touch()
    compute, calls = counting(5)
    for folder in (None, tmp_path / "file"):
        assert remembered(folder, "x", key="k", compute=compute) == 5
    assert len(calls) == 2
