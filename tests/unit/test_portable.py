"""Names that another system cannot hold are told, each folder once."""

import pytest

from foldproof.data.checks.portable import unportable_names, why_unportable

ORDINARY = ("cat", "naïve é", "-dash", "1", "null", "emoji 😀", "console", "x" * 255, ".x", "a,b;c", "it's")


@pytest.mark.parametrize(
    ("name", "why"),
    [("a:b", "Windows allows none"), ("a\\b", "Windows allows none"), ("a\nb", "Windows allows none"),
     ("CON", "a device"), ("nul.png", "a device"), ("com1", "a device"), ("dot.", "a dot or blank"),
     ("blank ", "a dot or blank"),
     ("é" * 128, "too long for Linux")],
)  # fmt: skip
def test_each_reason_is_named(name, why):
    assert why in why_unportable(name)


@pytest.mark.parametrize("name", ORDINARY)
def test_other_names_can_be_held_everywhere(name):
    assert why_unportable(name) == ""


def test_a_folder_is_told_once_with_its_images_and_files_once_a_reason():
    paths = ["a:b/c/1.png", "a:b/2.png", "a:b/c/3?.png", "ok/4?.png", f"{'y' * 198}/5.png", "ok/6.png"]
    found = [(finding.subject, finding.text.partition(";")[0]) for finding in unportable_names(paths)]
    assert found == [("a:b", "3 images below it"), ("a:b/c/3?.png", "2 images"), (paths[4], "1 image")]
