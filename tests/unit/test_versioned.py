"""The versioned set beside the set that is there."""

import json

import pytest

from foldproof.data.versions.versioned import DataVersion, VersionDifference, check, compare, judged
from foldproof.errors import DataError

RECORDED = {"a": "1", "b": "2", "c": "3"}


def version(found):
    difference = compare(RECORDED, found)
    return DataVersion(
        state=judged(difference),
        dvc_hash="abc.dir",
        path="data/train.dvc",
        changed=difference.changed,
        missing=difference.missing,
        extra=difference.extra,
    )


@pytest.mark.parametrize(
    ("found", "difference", "state"),
    [
        (RECORDED, VersionDifference((), (), ()), "clean"),
        ({**RECORDED, "z": "9", "d": "1"}, VersionDifference((), (), ("d", "z")), "extra"),
        ({"a": "1", "c": "x"}, VersionDifference(("c",), ("b",), ()), "dirty"),
        ({"z": "1"}, VersionDifference((), ("a", "b", "c"), ("z",)), "dirty"),
        ({}, VersionDifference((), ("a", "b", "c"), ()), "dirty"),
    ],
)
def test_a_file_is_changed_missing_extra_or_the_same(found, difference, state):
    assert compare(RECORDED, found) == difference
    assert version(found).state == state


def test_exactly_the_versioned_files_need_no_word():
    assert check(version(RECORDED), allow_dirty=False) == ()


def test_changed_or_missing_files_stop_a_run_and_are_named():
    many = {f"{number:02d}": "0" for number in range(20)}
    difference = compare(many, {"00": "x"})
    dirty = DataVersion(state="dirty", changed=difference.changed, missing=difference.missing)
    with pytest.raises(DataError) as raised:
        check(dirty, allow_dirty=False)
    said = str(raised.value)
    for part in ("1 file changed (00)", "19 files missing (01, 02, 03 and 16 more)"):
        assert part in said
    for way in ("data pull", "data add", "--allow-dirty"):
        assert way in raised.value.next_step
    assert len(said.splitlines()) <= 3


def test_what_is_dirty_and_allowed_goes_on_with_a_line():
    (line,) = check(version({"a": "1", "b": "x", "c": "3"}), allow_dirty=True)
    assert "1 file changed (b)" in line


def test_extra_files_go_on_with_a_line():
    (line,) = check(version({**RECORDED, "new": "1"}), allow_dirty=False)
    assert line == "1 file not versioned: new"


def test_images_that_nobody_versioned_go_on_with_a_line():
    (line,) = check(DataVersion(state="unversioned"), allow_dirty=False)
    assert "not versioned" in line
    assert "data add" in line


def test_a_lost_list_of_files_is_told_apart_from_images_never_versioned():
    (line,) = check(DataVersion(state="unversioned", dvc_hash="abc.dir"), allow_dirty=False)
    assert "not checked" in line


def test_it_is_plain_json():
    found = version({"a": "x", "d": "1"})
    content = json.loads(json.dumps(found.to_json()))
    assert content["state"] == "dirty"
    assert (content["changed"], content["missing"], content["extra"]) == (["a"], ["b", "c"], ["d"])
    assert DataVersion(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}) == found
