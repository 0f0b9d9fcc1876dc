"""A class folder that is a link: refused by name, so that no class is missing from a training in silence."""

import pytest

from conftest import draw, draw_classes
from foldproof import registry
from foldproof.cli.main import run_command
from foldproof.data.labels.said import Rules
from foldproof.data.links import linked_images
from foldproof.data.scan import scan
from foldproof.errors import DataError
from foldproof.scaffold.make import scaffold


@pytest.fixture
def birds(tmp_path):
    """Two class folders, and one that lies on another disk."""
    draw_classes(tmp_path / "disk", classes=("kite",), each=4)
    draw_classes(tmp_path / "birds", classes=("crow", "gull"), each=4)
    (tmp_path / "birds" / "kite").symlink_to(tmp_path / "disk" / "kite")
    return tmp_path / "birds"


def test_a_linked_class_beside_real_ones_is_refused_with_what_to_type(birds):
    with pytest.raises(DataError, match=r"kite is a link to another folder.*its images would be missing") as raised:
        scan(birds)
    link, target = birds / "kite", birds.parent / "disk" / "kite"
    assert f"rm {link} && cp -r {target} {link}" in raised.value.next_step
    assert "data.exclude: [kite]" in raised.value.next_step
    assert len(str(raised.value).splitlines()) <= 3


def test_what_the_refusal_says_is_a_way_on(birds):
    found = scan(birds, rules=Rules(exclude=("kite",)))
    assert found.dataset.classes == ("crow", "gull")
    assert (found.ignored, found.described.idle) == ((), ())
    (birds / "kite").unlink()
    draw_classes(birds, classes=("kite",), each=2)
    assert scan(birds).dataset.classes == ("crow", "gull", "kite")


def test_two_links_to_one_folder_are_both_named(birds):
    (birds / "owl").symlink_to(birds / "kite")
    with pytest.raises(DataError, match="kite, owl are links"):
        scan(birds)


def test_a_second_name_for_a_class_is_no_class_in_silence(tmp_path):
    draw_classes(tmp_path, each=2)
    (tmp_path / "tabby").symlink_to("cat")
    with pytest.raises(DataError, match="tabby is a link"):
        scan(tmp_path)


def test_a_part_of_a_class_that_is_a_link_to_elsewhere_is_refused_too(birds):
    (birds / "kite").rename(birds / "gull" / "young")
    with pytest.raises(DataError, match="gull/young is a link"):
        scan(birds)


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_loops_end_and_hinder_nothing(tmp_path, target):
    folder = draw_classes(tmp_path / "set", each=2)
    (folder / "cat" / "loop").symlink_to(target)
    (folder / "loop").symlink_to(".")
    assert len(scan(folder).dataset) == 6


def test_a_class_of_nothing_but_links_to_files_is_refused(tmp_path):
    draw_classes(tmp_path / "disk", each=3)
    draw_classes(tmp_path / "set", classes=("cat", "dog"), each=3)
    (tmp_path / "set" / "eel").mkdir()
    for file in (tmp_path / "disk" / "eel").iterdir():
        (tmp_path / "set" / "eel" / file.name).symlink_to(file)
    with pytest.raises(DataError, match="eel holds nothing but links to images"):
        scan(tmp_path / "set")


def test_a_link_beside_images_that_a_table_labels_is_refused_where_a_row_lacks_its_image(tmp_path):
    draw(tmp_path / "set" / "a.png", label=0, number=0)
    draw(tmp_path / "disk" / "b.png", label=1, number=1)
    (tmp_path / "set" / "more").symlink_to(tmp_path / "disk")
    (tmp_path / "labels.csv").write_text("path,label\na.png,x\n")
    rules = Rules(table=tmp_path / "labels.csv")
    assert len(scan(tmp_path / "set", rules=rules).dataset) == 1
    (tmp_path / "labels.csv").write_text("path,label\na.png,x\nmore/b.png,y\n")
    with pytest.raises(DataError, match="more is a link"):
        scan(tmp_path / "set", rules=rules)


@pytest.mark.slow
def test_every_command_that_trains_names_the_link_and_init_does_too(birds, monkeypatch, capsys):
    monkeypatch.chdir(birds.parent)
    assert run_command(["try", "birds"]) == 2
    assert "kite is a link" in capsys.readouterr().err
    lines = scaffold(birds.parent / "p").lines
    assert not any("links" in line for line in lines)
    assert any("kite in birds left out: links are not followed" in line for line in scaffold(birds.parent).lines)
    assert run_command(["run"]) == 2
    assert "kite is a link" in capsys.readouterr().err


def test_init_says_why_there_are_no_images_where_all_classes_are_links(tmp_path):
    draw_classes(tmp_path / "disk", each=2)
    (tmp_path / "project" / "birds").mkdir(parents=True)
    for folder in (tmp_path / "disk").iterdir():
        (tmp_path / "project" / "birds" / folder.name).symlink_to(folder)
    (line,) = [line for line in scaffold(tmp_path / "project").lines if "links" in line]
    assert line.startswith("birds/cat, birds/dog, birds/eel: links, which are not followed; ")
    assert "set data.path" in line


@pytest.mark.parametrize("each", [2, 30])
def test_packages_are_not_asked_for_readers_once_an_image(tmp_path, monkeypatch, each):
    draw_classes(tmp_path / "birds", classes=("crow", "gull"), each=each)
    asked = []
    of_packages = registry.entry_points
    monkeypatch.setattr(registry, "entry_points", lambda **group: asked.append(group) or of_packages(**group))
    assert linked_images(tmp_path / "birds") == []
    assert len(asked) < 4
