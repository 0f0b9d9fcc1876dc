"""Names that somebody else wrote can only be what their type says, and lead nowhere else."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.errors import DamagedFile
from foldproof.storage import (
    Commit,
    FileName,
    Md5,
    RelativePath,
    RunId,
    Sha256,
    create_inside,
    folder_for,
    leads_astray,
)

HEX = "0123456789abcdef"
SHA256, MD5, COMMIT = (HEX * 4, HEX * 2, HEX * 2 + HEX[:8])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Sha256, SHA256),
        (Md5, MD5),
        (Md5, f"{MD5}.dir"),
        (Commit, COMMIT),
        (RunId, "20260101-000000-goodgg"),
        (FileName, "a b.whl"),
        (RelativePath, "a/b c/d.png"),
        (RelativePath, "..a/b..png"),
        pytest.param(RelativePath, "back\\slash/x.png", marks=pytest.mark.skipif(os.name == "nt", reason="POSIX")),
    ],
)
def test_what_is_of_the_form_is_taken_as_it_is(kind, text):
    assert kind.parse(text) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Sha256, SHA256.upper()),
        (Sha256, SHA256[:-1]),
        (Sha256, f"{SHA256}\n"),
        (Sha256, "../../.."),
        (Md5, "c7../../../thesis.txt"),
        (Md5, "05../../other.dir"),
        (Md5, f"{MD5}.dir.dir"),
        (Commit, "--output=log"),
        (Commit, "HEAD"),
        (Commit, COMMIT[:12]),
        (Commit, f"{COMMIT}..{COMMIT}"),
        (RunId, "../x"),
        (RunId, "-x"),
        (RunId, ""),
        (FileName, "ssh/id"),
        (FileName, ".."),
        (FileName, "a\0b"),
        (FileName, "\ud800"),
        (RelativePath, "../x"),
        (RelativePath, "a/../../x"),
        (RelativePath, "/etc/passwd"),
        (RelativePath, ""),
        (RelativePath, "."),
        (RelativePath, "a\0b"),
        (RelativePath, "\ud800/x"),
        (Sha256, None),
        (Commit, 7),
        (RelativePath, ["a"]),
    ],
)
def test_what_is_not_of_the_form_is_refused_in_one_line(kind, text):
    with pytest.raises(DamagedFile) as caught:
        kind.parse(text)
    assert str(caught.value).isascii()
    assert len(str(caught.value).splitlines()) == 2


@given(st.text(max_size=60) | st.lists(st.sampled_from(["..", ".", "a", "", "\\", "b"]), max_size=8).map("/".join))
def test_no_relative_path_leads_out_of_its_folder(text):
    try:
        path = RelativePath.parse(text)
    except DamagedFile:
        return
    folder = Path("/some/folder")
    assert Path(os.path.normpath(path.below(folder))).is_relative_to(folder)
    assert os.path.normpath(path.below(folder)) != str(folder)


def test_a_file_is_made_below_its_folder_with_the_folders_on_the_way(tmp_path):
    with create_inside(tmp_path, RelativePath.parse("a/b/c.txt")) as file:
        file.write(b"x")
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"x"


def test_a_file_is_not_made_through_a_link_or_over_one(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "kept").write_text("kept")
    (folder / "way").symlink_to(outside)
    (folder / "file").symlink_to(outside / "kept")
    (folder / "loose").symlink_to(outside / "new")
    for name in ("way/new", "file", "loose"):
        with pytest.raises(DamagedFile):
            create_inside(folder, RelativePath.parse(name))
    with pytest.raises(DamagedFile):
        folder_for(folder, RelativePath.parse("file/x"))
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "kept"


def test_the_first_link_on_a_way_is_named(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert leads_astray(tmp_path, RelativePath.parse("link/x")) == tmp_path / "link"
    assert leads_astray(tmp_path, RelativePath.parse("real/x")) is None
