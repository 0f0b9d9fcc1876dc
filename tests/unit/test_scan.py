"""Walking an image folder."""

import hashlib
import os
import socket

import pytest

from conftest import draw, draw_classes
from foldproof.data.exclusions import Exclusion, match_content
from foldproof.data.labels.said import Rules
from foldproof.data.scan import Ignored, scan
from foldproof.errors import DataError, SettingsError


@pytest.fixture
def folder(tmp_path):
    return draw_classes(tmp_path / "images", each=3)


def paths(found):
    return sorted(sample.path for sample in found.dataset.samples)


def reason(found, path):
    reasons = {item.path: item.reason for item in found.ignored}
    return reasons[path]


def test_every_subfolder_is_a_class_and_images_lie_at_any_depth(folder):
    draw(folder / "cat" / "garden" / "summer" / "x.JPEG", label=0, number=90)
    found = scan(folder)
    assert found.dataset.classes == ("cat", "dog", "eel")
    assert dict(found.dataset.count_by_class) == {"cat": 4, "dog": 3, "eel": 3}
    assert "cat/garden/summer/x.JPEG" in paths(found)
    assert found.ignored == ()


def test_both_hashes_are_of_the_files_bytes(folder):
    found = scan(folder)
    for sample in found.dataset.samples:
        content = (folder / sample.path).read_bytes()
        assert sample.sha256 == hashlib.sha256(content).hexdigest()
        assert found.md5[sample.path] == hashlib.md5(content).hexdigest()


def test_the_fingerprint_depends_on_neither_names_nor_place(folder, tmp_path):
    before = scan(folder).dataset.fingerprint
    (folder / "cat" / "000.png").rename(folder / "cat" / "another name.png")
    assert scan(folder.rename(tmp_path / "moved")).dataset.fingerprint == before
    (tmp_path / "moved" / "cat" / "001.png").rename(tmp_path / "moved" / "dog" / "001b.png")
    assert scan(tmp_path / "moved").dataset.fingerprint != before


def test_what_is_no_image_is_ignored_with_its_reason_but_hashed_as_dvc_would(folder):
    (folder / "cat" / "notes.txt").write_text("soft")
    (folder / "labels.csv").write_text("a,b")
    (folder / "cat" / "README").write_text("x")
    draw(folder / "loose.png", label=0, number=70)
    (folder / "nothing" / "here").mkdir(parents=True)
    found = scan(folder)
    assert reason(found, "cat/notes.txt") == "no reader for '.txt'"
    assert reason(found, "labels.csv") == "no reader for '.csv'"
    assert reason(found, "cat/README") == "no suffix"
    assert reason(found, "loose.png") == "not in a class folder"
    assert reason(found, "nothing") == "a class folder without images"
    assert found.dataset.classes == ("cat", "dog", "eel")
    assert len(found.dataset) == 9
    assert found.md5["cat/notes.txt"] == hashlib.md5(b"soft").hexdigest()
    assert {"labels.csv", "loose.png"} <= found.md5.keys()


def test_hidden_files_and_folders_are_no_images_and_no_classes(folder):
    draw(folder / ".ipynb_checkpoints" / "a" / "000.png", label=0, number=70)
    draw(folder / "cat" / ".thumbnail.png", label=0, number=71)
    found = scan(folder)
    assert found.dataset.classes == ("cat", "dog", "eel")
    assert found.ignored == (Ignored(".ipynb_checkpoints", "1 file"), Ignored("cat/.thumbnail.png", "hidden"))
    assert {".ipynb_checkpoints/a/000.png", "cat/.thumbnail.png"} <= found.md5.keys()


def test_links_are_reported_and_not_followed(folder, tmp_path):
    draw(tmp_path / "elsewhere" / "a.png", label=0, number=80)
    (folder / "cat" / "loop").symlink_to("..")
    (folder / "cat" / "a.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (folder / "dog" / "gone.png").symlink_to("nowhere.png")
    found = scan(folder)
    assert len(found.dataset) == 9
    assert reason(found, "cat/loop") == "a link to a folder"
    assert reason(found, "cat/a.png") == "a link to a file"
    assert reason(found, "dog/gone.png") == "a broken link"
    assert "cat/a.png" not in found.md5


def test_links_into_a_dvc_cache_are_images(folder, tmp_path):
    before = scan(folder)
    for number, cache in enumerate((tmp_path / ".dvc" / "cache", tmp_path / "shared")):
        image = folder / "cat" / f"{number:03d}.png"
        stored = cache / "files" / "md5" / "ab" / f"cdef{number}"
        stored.parent.mkdir(parents=True)
        image.rename(stored)
        image.symlink_to(stored)
    assert scan(folder, cache_dirs=(tmp_path / "shared",)).md5 == before.md5
    assert len(scan(folder).dataset) == 8
    (tmp_path / "alias").symlink_to(tmp_path / "shared")
    assert len(scan(folder, cache_dirs=(tmp_path / "alias",)).dataset) == 9


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_sockets_are_reported_and_never_opened(folder, monkeypatch):
    os.mkfifo(folder / "cat" / "pipe.jpg")
    (folder / "dog" / "link.jpg").symlink_to("../cat/pipe.jpg")
    monkeypatch.chdir(folder)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("cat/socket.png")
        found = scan(folder)
    for path in ("cat/pipe.jpg", "cat/socket.png", "dog/link.jpg"):
        assert reason(found, path) == "a pipe, socket or device"
        assert path not in found.md5


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode here")
def test_names_that_are_not_utf8_are_reported_spelled_out_and_never_opened(folder):
    (folder / "cat" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    (folder / os.fsdecode(b"\xff")).mkdir()
    draw(folder / os.fsdecode(b"\xff") / "a.png", label=0, number=0)
    found = scan(folder)
    assert reason(found, "cat/caf\\xe9.png") == "a name that is not UTF-8"
    assert reason(found, "\\xff") == "a name that is not UTF-8"
    assert {item.code for item in found.ignored} == {"name-not-utf8"}
    assert len(found.dataset) == 9


def test_a_folder_that_is_not_there_or_is_empty_says_how_to_get_images(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty"):
        with pytest.raises(DataError, match=f"no images in .*{name}") as raised:
            scan(tmp_path / name)
        assert "foldproof data pull" in raised.value.next_step
        assert "data add" in raised.value.next_step


def test_images_without_class_folders_are_answered_with_what_was_expected(tmp_path):
    draw(tmp_path / "images" / "a.png", label=0, number=0)
    with pytest.raises(DataError, match="expected a folder for each class") as raised:
        scan(tmp_path / "images")
    assert "images/cat/1.jpg" in raised.value.next_step
    assert ".png" in raised.value.next_step


@pytest.mark.parametrize("parts", [("train", "val"), ("train", "valid", "test"), ("Training", "Testing")])
def test_the_parts_of_a_data_set_are_not_taken_for_classes(tmp_path, parts):
    for part in parts:
        draw_classes(tmp_path / "images" / part, each=1)
    with pytest.raises(DataError, match="not classes") as raised:
        scan(tmp_path / "images")
    for way in ("folds.scheme: predefined", "Folds of our own", "data.label_by: top"):
        assert way in raised.value.next_step
    assert ("data.test" in raised.value.next_step) == (len({"test", "Testing"} & set(parts)) > 0)
    assert len(str(raised.value).splitlines()) <= 3


def test_a_class_may_be_called_like_a_part(tmp_path):
    draw_classes(tmp_path / "images", each=2, classes=("bus", "train", "val"))
    assert scan(tmp_path / "images").dataset.classes == ("bus", "train", "val")


def test_parent_groups_by_the_folders_between_class_and_file(tmp_path):
    draw(tmp_path / "cat" / "a.png", label=0, number=0)
    draw(tmp_path / "cat" / "tom" / "b.png", label=0, number=1)
    draw(tmp_path / "dog" / "tom" / "may" / "c.png", label=0, number=2)
    groups = {sample.path: sample.group for sample in scan(tmp_path, rules=Rules(group_by="parent")).dataset.samples}
    assert groups == {"cat/a.png": "", "cat/tom/b.png": "tom", "dog/tom/may/c.png": "tom/may"}


def test_an_expression_groups_by_its_first_group_or_all_that_it_matches(folder):
    names = {sample.group for sample in scan(folder, rules=Rules(group_by=r"(\d)\.png$")).dataset.samples}
    assert names == {"0", "1", "2"}
    assert {sample.group for sample in scan(folder, rules=Rules(group_by=r"0[01]\d?|02")).dataset.samples} == {
        "000",
        "001",
        "002",
    }


def test_a_path_that_the_expression_does_not_match_is_named(folder):
    for expression in ("^cat", "x*", "(x)?"):
        with pytest.raises(DataError, match=r"no group in .*/00\d\.png"):
            scan(folder, rules=Rules(group_by=expression))


def test_an_expression_that_is_none_is_a_mistake_in_the_settings(folder):
    with pytest.raises(SettingsError, match="group_by"):
        scan(folder, rules=Rules(group_by="("))


def test_the_committed_list_leaves_images_out_by_content_and_class(folder):
    twin = (folder / "cat" / "000.png").read_bytes()
    (folder / "dog" / "twin.png").write_bytes(twin)
    (folder / "dog" / "broken.png").write_bytes(b"no picture")
    content = {
        path: hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in ("dog/twin.png", "dog/broken.png")
    }
    listed = match_content(Exclusion(path, "dog", sha256, "damaged", "") for path, sha256 in content.items())
    assert set(scan(folder).troubles) == {"dog/broken.png"}
    (folder / "dog" / "broken.png").rename(folder / "dog" / "renamed.png")
    found = scan(folder, excluded=listed)
    assert [path for path, _ in found.excluded] == ["dog/renamed.png", "dog/twin.png"]
    assert found.troubles == {}
    assert found.dataset.fingerprint == fingerprint_without(folder, "dog/renamed.png", "dog/twin.png")
    assert "cat/000.png" in paths(found)
    assert {"dog/renamed.png", "dog/twin.png"} <= found.md5.keys()


def fingerprint_without(folder, *left_out):
    for path in left_out:
        (folder / path).rename(folder / f"{path}.out")
    fingerprint = scan(folder).dataset.fingerprint
    for path in left_out:
        (folder / f"{path}.out").rename(folder / path)
    return fingerprint


def test_a_listed_image_whose_content_changed_is_no_longer_left_out(folder):
    image = folder / "cat" / "000.png"
    listed = match_content(
        [Exclusion("cat/000.png", "cat", hashlib.sha256(image.read_bytes()).hexdigest(), "damaged", "")]
    )
    assert len(scan(folder, excluded=listed).dataset) == 8
    draw(image, label=0, number=60)
    assert len(scan(folder, excluded=listed).dataset) == 9
