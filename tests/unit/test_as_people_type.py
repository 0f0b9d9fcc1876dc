"""Settings, folders and numbers as people have them: each wrong one is told as what it is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

import foldproof
from conftest import draw_classes
from foldproof.config.check import check
from foldproof.config.read import load_settings
from foldproof.config.schema import DataSettings, FoldSource
from foldproof.data.labels.asked import asked_of
from foldproof.data.labels.from_splits import folds_in
from foldproof.data.scan import scan
from foldproof.data.tables.table import read_table
from foldproof.data.walk import walk
from foldproof.errors import DamagedFile, DataError, SettingsError
from foldproof.executors.failure import unbuildable
from foldproof.folds.table import COLUMNS, from_csv
from foldproof.notebook.functions import _spelled
from foldproof.storage.nowhere import likely_name, why_no_path
from foldproof.trackers.mlflow.target import absolute
from foldproof.trackers.terminal import Terminal
from foldproof.training.task import ModelRequest


@pytest.mark.parametrize(
    ("spelled", "said", "way"),
    [
        ("~/owls", "'~' is not expanded", "{home}/owls"),
        ("~ada/owls", "'~ada' is not expanded", "/home/ada/owls"),
        ("$PLACE/owls", "'$PLACE' is not expanded", "/mnt/a b/owls"),
        ("${PLACE}/owls", "'${PLACE}' is not expanded", "/mnt/a b/owls"),
        ("in/%NOWHERE_AT_ALL%/owls", "'%NOWHERE_AT_ALL%' is not expanded", "write the path out"),
        ("file:///mnt/a%20b/owls", "an address", "/mnt/a b/owls"),
        ("s3://bucket/owls", "'s3:' begins an address", "`dvc import-url s3://bucket/owls"),
        ("C:\\Users\\ada\\owls", "a path of Windows", "with slashes, as in owls"),
        ("C:/Users/ada/there/owls", "a path of Windows", "as in there/owls"),
        ("\\\\nas\\share\\owls", "a path of Windows", "as in owls"),
        ("data\\owls", "a path of Windows", "as in data/owls"),
        ("D:", "a path of Windows", "slashes"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths of Windows")
def test_a_path_that_no_system_expands_is_told_with_what_to_write(tmp_path, monkeypatch, spelled, said, way):
    """One rule for all settings that name a file or folder, and a beginning that is there is never to blame."""
    monkeypatch.setenv("PLACE", "/mnt/a b")
    root = tmp_path / "~ $x"
    (root / "there" / "owls").mkdir(parents=True)
    asked = {
        "data.path": lambda: walk(root / spelled),
        "data.labels": lambda: read_table(root / spelled),
        "folds.file": lambda: folds_in(root / spelled, [], folder=root),
        "data.test": lambda: asked_of(DataSettings(test=spelled), FoldSource(), root=root, folder=root),
        "data.test, with a table": lambda: asked_of(
            DataSettings(test=spelled, labels="owls.csv"), FoldSource(), root=root, folder=root
        ),
    }
    for setting, ask in asked.items():
        with pytest.raises(DataError) as raised:
            ask()
        assert said in raised.value.what
        assert way.format(home=Path.home()) in raised.value.next_step
        assert setting.split(",")[0] in raised.value.what or setting == "data.path"


def test_a_file_of_folds_in_json_is_told_alike(tmp_path):
    with pytest.raises(DataError, match=r"folds\.file: .*'~' is not expanded") as raised:
        folds_in(tmp_path / "~" / "splits.json", [], folder=tmp_path)
    assert raised.value.next_step == f"write it out: {Path.home() / 'splits.json'}"
    (tmp_path / "splits_final.json").touch()
    with pytest.raises(DataError, match=r"No such file .*did you mean 'splits_final\.json'"):
        folds_in(tmp_path / "splits.json", [], folder=tmp_path)


@pytest.mark.parametrize("spelled", ["Labels.CSV", "labels.csv ", '"labels.csv"', "lables.csv"])
def test_a_name_that_is_nearly_there_is_proposed(tmp_path, spelled):
    (tmp_path / "labels.csv").write_text("path,label\n")
    asked = (
        lambda: read_table(tmp_path / spelled),
        lambda: folds_in(tmp_path / spelled, [], folder=tmp_path),
        lambda: asked_of(DataSettings(test=spelled), FoldSource(), root=tmp_path, folder=tmp_path),
    )
    for ask in asked:
        with pytest.raises(DataError, match=r"did you mean 'labels\.csv'"):
            ask()
    assert likely_name(tmp_path / spelled, but=tmp_path / "labels.csv") == ""
    assert likely_name(tmp_path / "gone" / "x") == likely_name(tmp_path / "quite another") == ""


@pytest.mark.parametrize(
    ("uri", "way"),
    [
        ("localhost:5000", "http://localhost:5000"),
        ("https:/mlflow.org:80/a", "https://mlflow.org:80/a"),
        ("runs/mlflow.db", "sqlite:///runs/mlflow.db"),
        ("~/mlruns", "{home}/mlruns"),
        ("sqlite:///~/mlflow.db", "{home}/mlflow.db"),
        ("file:~/mlruns", "{home}/mlruns"),
        ("sqlite:///C:/runs/mlflow.db", "as in mlflow.db"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths of Windows")
def test_a_tracking_uri_of_which_mlflow_would_make_a_strange_folder_is_told_with_what_to_write(tmp_path, uri, way):
    with pytest.raises(SettingsError) as raised:
        absolute(uri, tmp_path)
    assert way.format(home=Path.home()) in raised.value.next_step
    (tmp_path / "localhost:5000").mkdir()
    assert absolute("localhost:5000", tmp_path) == (tmp_path / "localhost:5000").as_uri()


def test_a_folder_with_such_a_name_that_is_there_is_used(tmp_path):
    (tmp_path / "~" / "b\\c").mkdir(parents=True)
    assert [entry.path for entry in walk(tmp_path / "~")] == ["b\\c"]
    assert why_no_path(Path("data/owls")) is None


def test_class_folders_that_are_links_are_told_with_the_folder_they_lie_in(tmp_path):
    draw_classes(tmp_path / "there")
    (tmp_path / "images").mkdir()
    names = sorted(folder.name for folder in (tmp_path / "there").iterdir())
    for name in names:
        (tmp_path / "images" / name).symlink_to(tmp_path / "there" / name)
    with pytest.raises(DataError, match="are links to another folder") as raised:
        scan(tmp_path / "images")
    assert raised.value.next_step == f"set data.path: {tmp_path / 'there'}"
    (tmp_path / "images" / "other").symlink_to(tmp_path / "there" / names[0])
    with pytest.raises(DataError) as raised:
        scan(tmp_path / "images")
    assert f"cp -r {tmp_path / 'there' / names[0]}" in raised.value.next_step


@pytest.mark.parametrize(
    ("written", "read"),
    [([0, 1], ["0", "1"]), (["0", 1], ["0", "1"]), ({"0": 7, "1": None}, {"0": "7", "1": None})],
)
def test_classes_that_are_numbers_are_their_names(written, read):
    settings, findings = check({"data": {"classes": written}})
    assert not findings
    assert settings.data.classes == read


@pytest.mark.parametrize("written", [[0.5], [True], 3, [[0]]])
def test_classes_that_name_nothing_are_told_what_they_would_be(written):
    _, (finding,) = check({"data": {"classes": written}})
    assert "a list of labels, such as [cat, dog], or a mapping" in finding.text


def test_numbers_of_numpy_and_paths_are_settings_in_a_notebook():
    overrides = {
        "train.lr": np.float32(0.5), "train.epochs": np.int64(3), "train.pretrained": np.bool_(True),
        "data.range": np.array([0, 1]), "data.path": Path("owls"), "train": {"seed": np.uint8(7)},
        "data.classes": {np.int64(0): np.str_("owl"), "1": None},
    }  # fmt: skip
    assert _spelled(overrides) == (
        "train.lr=0.5", "train.epochs=3", "train.pretrained=true", "data.range=[0, 1]", 'data.path="owls"',
        "train.seed=7", 'data.classes={"0": "owl", "1": null}',
    )  # fmt: skip


def test_a_mapping_can_be_set_where_the_file_takes_one(tiny_project):
    settings = load_settings(tiny_project / "params.yaml", overrides=["data.classes={0: owl}"]).settings
    assert settings.data.classes == {"0": "owl"}


def test_what_is_no_value_is_told_by_its_setting(tiny_project):
    with pytest.raises(SettingsError, match=r"train\.lr: a object is no value"):
        foldproof.run(overrides={"train.lr": object()}, path=tiny_project)


def test_the_table_of_folds_may_begin_with_a_byte_order_mark():
    assert from_csv("\ufeff" + ",".join(COLUMNS) + "\n") == []


def test_another_table_called_folds_csv_is_told_whose_name_that_is():
    with pytest.raises(DamagedFile, match="foldproof keeps the folds that it makes here") as raised:
        from_csv("path,fold\na.png,0\n")
    assert "folds.file" in raised.value.next_step


@pytest.mark.slow
def test_in_a_folder_that_is_gone_no_traceback_and_no_fault_is_told(tmp_path):
    code = "import os, sys; os.mkdir('x'); os.chdir('x'); os.rmdir('../x'); from foldproof.cli import main; main()"
    for arguments in (["runs"], ["doctor"], ["compare"]):
        command = [sys.executable, "-P", "-c", code, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 2
        assert done.stderr == "error: the current folder is not there any more\n  change into one that is: cd ~\n"


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("wait", [0.2, 0.35, 0.5])
def test_an_early_interruption_gives_no_traceback(tmp_path, wait):
    code = "import sys; from foldproof.cli import main; print('here', flush=True); main()"
    command = [sys.executable, "-c", code, "demo", "x"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "here\n"
    time.sleep(wait - 0.2)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.strip().splitlines()[-1] == "interrupted"
    assert "Traceback" not in said


def test_a_pointer_of_git_lfs_is_told_with_what_brings_the_picture(tmp_path):
    draw_classes(tmp_path)
    folder = next(tmp_path.iterdir())
    (folder / "far.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    assert "`git lfs pull` brings it" in scan(tmp_path).troubles[f"{folder.name}/far.png"].text


@pytest.mark.skipif(os.name == "nt", reason="locales of Unix")
@pytest.mark.parametrize("utf8", ["0", "1"])
def test_names_that_this_locale_reads_otherwise_are_told_as_that(tmp_path, utf8):
    draw_classes(tmp_path / "images")
    next((tmp_path / "images").iterdir()).rename(tmp_path / "images" / "Über")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": utf8, "PYTHONCOERCECLOCALE": "0"}
    code = "from pathlib import Path; from foldproof.data.walk import walk; print(len(walk(Path('images'))))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (utf8 == "1")
    assert ("export PYTHONUTF8=1" in done.stderr) == (utf8 == "0")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="locales of Unix")
def test_a_setting_that_this_locale_cannot_spell_is_told_as_that(tmp_path):
    draw_classes(tmp_path / "Über")
    (tmp_path / "params.yaml").write_text("version: 1\ndata: {path: Über}\n", encoding="utf-8")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "foldproof", "data", "check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"names are ascii, since LC_ALL" in done.stderr
    assert b"export PYTHONUTF8=1" in done.stderr


def test_a_batch_of_one_is_told_as_that_and_not_as_a_broken_model():
    said = "ValueError: Expected more than 1 value per channel when training, got input size torch.Size([1, 512, 1, 1])"
    request = ModelRequest(
        backbone="resnet18", pretrained=False, freeze_backbone=False, image_size=32, any_image_size=True,
        classes=("a", "b"), batch_size=1, threads=1, device="cpu", plugins=None,
    )  # fmt: skip
    error = unbuildable(said, request)
    assert "batch normalisation" in error.what
    assert error.next_step == "set train.batch_size to 2 or more (now 1)"


def test_a_table_in_a_pipe_is_cut_nowhere(capsys):
    table = Table("experiment", "setting", "accuracy")
    table.add_row("a" * 70, "b" * 70, "31.25")
    Terminal().print(table)
    assert f"{'a' * 70} │ {'b' * 70} │ 31.25" in capsys.readouterr().out


def test_a_narrow_terminal_cuts_no_digits(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    table = Table("experiment", "accuracy", "interval")
    table.add_row("a_long_name", "31.25", "15.67 to 52.65")
    Terminal().print(table)
    assert "15.67 to 52.65" in capsys.readouterr().out
