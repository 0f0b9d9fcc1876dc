"""Images outside the project: said how much, copied whole or not at all, found by the settings."""

import errno
import shutil
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.data.versions.bring_in import bring_in
from foldproof.errors import StorageError


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    draw_classes(tmp_path / "elsewhere" / "my birds", each=3)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert run_command(["init"]) == 0
    return tmp_path


def test_size_and_room_are_said_before_anything_is_copied(place, capsys):
    assert run_command(["data", "add", "../elsewhere/my birds"]) == 2
    said = capsys.readouterr().err
    assert "9 files, 0.00 GB" in said
    assert "GB are free" in said
    assert "--to data/train" in said
    assert not (place / "project" / "data").exists()


@pytest.mark.slow
def test_a_copy_is_versioned_where_the_settings_look_for_it(place, capsys):
    assert run_command(["data", "add", "../elsewhere/my birds", "--to", "data/train"]) == 0
    settings = load_settings(place / "project" / "params.yaml").settings
    assert len(list((place / "project" / settings.data.path).rglob("*.png"))) == 9
    assert (place / "project" / "data" / "train.dvc").is_file()
    assert "note: the settings" not in capsys.readouterr().err
    assert run_command(["data", "add", "../elsewhere/my birds", "--to", "data/other"]) == 0
    assert "data.path is data/train, not data/other" in capsys.readouterr().err


@pytest.mark.slow
def test_neither_a_place_that_is_taken_nor_one_outside_is_copied_to(place, capsys):
    (place / "project" / "data").mkdir()
    assert run_command(["data", "add", "../elsewhere/my birds", "--to", "data"]) == 2
    assert run_command(["data", "add", "../elsewhere/my birds", "--to", "../other"]) == 2
    assert "outside" in capsys.readouterr().err
    assert not (place / "other").exists()


def test_a_copy_that_fails_leaves_nothing(place, monkeypatch):
    copied = shutil.copy2

    def full(source, target):
        if Path(source).parent.name == "eel":
            raise OSError(errno.ENOSPC, "No space left on device")
        return copied(source, target)

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(StorageError, match="No space left"):
        bring_in(place / "elsewhere" / "my birds", place / "project" / "photos")
    assert not any("photos" in path.name for path in (place / "project").iterdir())
