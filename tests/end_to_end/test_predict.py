"""`foldproof predict`: bits that depend on the image and the models alone, and what it says of all that goes wrong."""

import csv
import io
import json
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import foldproof
from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.predict.images import ImageFile
from foldproof.predict.opened import opened_models
from foldproof.project import Project
from foldproof.provenance.numeric import PORTABLE
from foldproof.records import predictions
from foldproof.records.record import RunRecord
from foldproof.reproduce.record_source import RecordSource
from foldproof.training.checkpoint import Checkpoint
from lab.typed import process
from recorded import MODEL, done, train_inline

pytestmark = pytest.mark.slow

EXPERIMENTS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {batch_size: 8, epochs: 2, seed: 5}
execution: {executor: inline}
tracking: {enabled: false}
experiments:
  small: {}
  frozen: {train: {freeze_backbone: true}}
  twice: {folds: {k: 2, repeats: 2}}
  half: {train: {precision: bfloat16}}
  own: {train: {backbone: 'own_model:net'}}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project of 90 images whose experiments have run, and 70 new images; nothing in it is changed."""
    root = tmp_path_factory.mktemp("predict")
    draw_classes(root / "images", each=30, size=12)
    draw_classes(root / "new", each=20, size=17)
    draw_classes(root / "new" / "more", each=10, size=8, classes=("x",))
    (root / "own_model.py").write_text(MODEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        return train_inline(root, EXPERIMENTS)


@pytest.fixture
def place(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


@pytest.fixture
def copy(trained, tmp_path, monkeypatch):
    """A copy of the project that a test may spoil."""
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def typed(*arguments):
    return run_command(["predict", *map(str, arguments)])


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def run_folder(root, experiment):
    return next(folder for folder in Project.find(root).run_folders() if _experiment(folder) == experiment)


def _experiment(folder):
    return json.loads((folder / "run.json").read_text())["experiment"]


@contextmanager
def labelling(root, experiment, by="folds"):
    """A function of files that gives a row each."""
    source = RecordSource(folder=run_folder(root, experiment), is_foreign=False)
    with opened_models(source, by=by, project=Project.find(root), device="cpu") as models:
        yield lambda files: list(models.labeller.label([ImageFile(file, file) for file in files]))


def new_images(root):
    return sorted(str(file) for file in (root / "new").rglob("*.png"))


@pytest.mark.parametrize("experiment", ["small", "frozen", "half", "own"])
def test_a_probability_depends_on_the_image_and_the_models_alone(trained, experiment):
    files = new_images(trained)
    with labelling(trained, experiment) as label:
        expected = {row.path: row for row in label(files)}
        assert len({row.probabilities.tobytes() for row in expected.values()}) > 50

        @settings(max_examples=25, deadline=None)
        @given(st.data())
        def check(data):
            count = data.draw(st.sampled_from([1, 7, 31, 32, 33, 64]))
            chosen = data.draw(st.permutations(files))[:count]
            found = label(chosen)
            assert [row.path for row in found] == chosen
            for row in found:
                assert row.probabilities.tobytes() == expected[row.path].probabilities.tobytes()

        check()


def test_an_image_that_cannot_be_read_changes_no_other(trained, tmp_path):
    files = new_images(trained)[:40]
    broken = str(tmp_path / "broken.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with labelling(trained, "small") as label:
        expected = {row.path: row.probabilities.tobytes() for row in label(files)}
        found = label([broken, *files[:20], broken, *files[20:], broken])
        assert [row.path for row in found if row.path != broken] == files
        assert all(row.probabilities.tobytes() == expected[row.path] for row in found if row.path != broken)
        assert [row.path for row in label([broken] * 40)] == [broken] * 40


@pytest.mark.parametrize("experiment", ["small", "frozen", "half", "own", "twice"])
def test_a_fold_says_of_its_validation_images_what_the_run_recorded(trained, experiment):
    record = RunRecord.read(run_folder(trained, experiment))
    for fold_id in record.finished:
        sha256 = record.finished[fold_id].predictions_sha256
        stored = predictions.read(record.folder, fold_id.folder_name, classes=3, sha256=sha256)
        with labelling(trained, experiment, by=f"fold:{fold_id.repeat}.{fold_id.fold}") as label:
            rows = label([str(trained / "images" / sample.path) for sample in stored.samples])
        assert {row.seen for row in rows} == {0}
        assert [row.probabilities.tolist() for row in rows] == stored.probabilities.tolist()


@pytest.mark.parametrize(
    ("experiment", "names"), [("twice", ("0.0", "0.1", "1.0", "1.1")), ("frozen", ("0", "1", "2"))]
)
def test_the_mean_is_over_all_folds_in_order_and_those_that_trained_on_an_image_are_counted(trained, experiment, names):
    files = [*new_images(trained), *sorted(str(file) for file in (trained / "images").rglob("*.png"))]
    folds = []
    for fold in names:
        with labelling(trained, experiment, by=f"fold:{fold}") as label:
            folds.append(label(files))
    with labelling(trained, experiment) as label:
        rows = label(files)
    for place, row in enumerate(rows):
        each = [fold[place] for fold in folds]
        total = np.zeros(3)
        for one in each:
            total = total + one.probabilities.astype(np.float64)
        assert row.probabilities.tobytes() == (total / len(names)).astype(np.float32).tobytes()
        assert row.folds_disagree == sum(one.number != row.number for one in each)
        assert row.seen == sum(one.seen for one in each)
    assert {row.seen for row in rows if "/new/" in row.path} == {0}
    assert {row.seen for row in rows if "/images/" in row.path} == {2}


def test_a_copy_of_an_image_that_was_trained_on_is_seen_under_any_name(place, tmp_path, capsys):
    first = next((place / "images").rglob("*.png"))
    shutil.copy(first, tmp_path / "renamed.png")
    assert typed("small", tmp_path / "renamed.png") == 0
    out, err = capsys.readouterr()
    assert [row["seen"] for row in rows_of(out)] == ["2"]
    assert "trained on 1 of the images" in err


def test_the_table_is_the_same_in_every_form_and_in_python(place, tmp_path, capsys):
    assert typed("small", "new") == 0
    printed = rows_of(capsys.readouterr().out)
    assert typed("small", "new", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    for name in ("t.csv", "t.parquet", "t.json"):
        assert typed("small", "new", "-o", tmp_path / name) == 0
        assert "wrote" in capsys.readouterr().out
    assert rows_of((tmp_path / "t.csv").read_text()) == printed
    assert json.loads((tmp_path / "t.json").read_text()) == document
    frame = foldproof.load("small").predict("new")
    assert frame.equals(pq.read_table(tmp_path / "t.parquet").to_pandas().astype(frame.dtypes))
    assert [row["path"] for row in printed] == sorted(frame.path)
    assert np.array([row["p_dog"] for row in printed], dtype=np.float32).tolist() == frame.p_dog.tolist()
    assert [row["probabilities"]["dog"] for row in document["images"]] == [float(row["p_dog"]) for row in printed]
    assert (document["experiment"], document["by"], document["folds"]) == (
        "small",
        "folds",
        ["fold 0", "fold 1", "fold 2"],
    )


def test_in_python_pictures_and_arrays_are_labelled_too_and_torch_is_left_as_it_was(place):
    file = Path(new_images(place)[0])
    with Image.open(file) as picture:
        array = np.asarray(picture)
        before = torch.get_num_threads(), torch.get_deterministic_debug_mode(), torch.random.get_rng_state()
        torch.set_num_threads(2)
        found = foldproof.load("small").predict([file, picture, array, array[:, ::-1]], by="fold:1")
        assert torch.get_num_threads() == 2
        torch.set_num_threads(before[0])
    assert torch.get_deterministic_debug_mode() == before[1]
    assert torch.random.get_rng_state().equal(before[2])
    assert list(found.path) == [str(file), "image 1", "image 2", "image 3"]
    bits = [row.tobytes() for row in found[["p_cat", "p_dog", "p_eel"]].to_numpy()]
    assert bits[0] == bits[1] == bits[2] != bits[3]
    assert found.seen.isna().tolist() == [False, True, True, True]
    assert foldproof.load("small").predict(array).path.tolist() == ["image 0"]


def test_in_python_an_image_that_cannot_be_read_is_an_error_that_names_it(place, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(foldproof.errors.DataError, match=r"broken\.png"):
        foldproof.load("small").predict([new_images(place)[0], tmp_path / "broken.png"])
    with pytest.raises(foldproof.errors.DataError, match="image 0: is float64"):
        foldproof.load("small").predict(np.zeros((8, 8)))


def test_paths_come_from_tables_and_standard_input(place, monkeypatch, capsys):
    files = new_images(place)[:3]
    (place / "list.csv").write_text("path\n" + "\n".join(files) + "\n")
    assert typed("small", "list.csv") == 0
    listed = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(files).encode())))
    assert typed("small", "-") == 0
    assert capsys.readouterr().out == listed
    assert [row["path"] for row in rows_of(listed)] == files


def test_bad_images_are_listed_with_the_reason_and_the_others_labelled(place, tmp_path, capsys):
    bad = tmp_path / "bad"
    draw_classes(bad, each=1)
    (bad / "text.png").write_text("not a picture")
    (bad / "empty.jpg").touch()
    (bad / "half.jpg").write_bytes(_jpeg()[:300])
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(bad / "deep.tif")
    (bad / "bomb.png").write_bytes(_bomb())
    frames = [Image.new("L", (8, 8), level) for level in (0, 200)]
    frames[0].save(bad / "stack.tif", save_all=True, append_images=frames[1:])
    frames[0].save(bad / "film.gif", save_all=True, append_images=frames[1:])
    assert typed("small", bad) == 1
    out, err = capsys.readouterr()
    assert [Path(row["path"]).name for row in rows_of(out)] == ["000.png", "000.png", "000.png", "film.gif"]
    for said in (
        "text.png: not a",
        "empty.jpg: empty",
        "half.jpg: damaged",
        "deep.tif: has 16 bits",
        "bomb.png:",
        "stack",
    ):
        assert said in err
    assert typed("small", bad, "--json") == 1
    found = json.loads(capsys.readouterr().out)["images"]
    assert sum("error" in image for image in found) == 6


def test_many_bad_images_are_counted(place, tmp_path, capsys):
    for number in range(25):
        (tmp_path / f"{number}.png").touch()
    assert typed("small", tmp_path) == 1
    out, err = capsys.readouterr()
    assert rows_of(out) == []
    assert err.count(".png: empty") == 10
    assert "and 15 more" in err


def _jpeg():
    made = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(made, "JPEG")
    return made.getvalue()


def _bomb():
    made = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(made, "PNG")
    return made.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", "new"), "no run 'nothing'"),
        (("small", "nowhere"), "there is no nowhere"),
        (("small", "new", "--by", "fold:7"), "has no model of fold 7"),
        (("small", "new", "--by", "best"), "names no model"),
        (("small", "new", "--by", "refit"), "no model trained on all images"),
        (("small", "new", "-o", "labels.xlsx"), "no table"),
        (("small", "new", "-o", "nowhere/labels.csv"), "there is no folder"),
        (("small", "new", "-o", "labels.csv", "--json"), "choose one"),
        (("small", "new", "--device", "cuda:99"), "CUDA"),
        (("small",), "Missing argument"),
    ],
)
def test_a_mistake_is_said_in_three_lines_with_the_next_step(place, capsys, arguments, said):
    assert typed(*arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert 2 <= len(err.strip().splitlines()) <= 4


def test_a_run_without_weights_names_the_command_that_brings_them_back(copy, capsys):
    folder = run_folder(copy, "small")
    before = typed("small", "new"), capsys.readouterr().out
    (folder / "fold-0-1" / "model.safetensors").unlink()
    assert typed("small", "new") == 2
    said = capsys.readouterr().err
    assert "weights of fold 1 are not here" in said
    assert f"foldproof reproduce {folder.name} --keep" in said
    assert typed(shutil.move(folder, copy / "elsewhere"), "new") == 2
    assert f"foldproof reproduce {copy / 'elsewhere'} --keep" in capsys.readouterr().err
    shutil.move(copy / "elsewhere", folder)
    assert typed("small", "new", "--by", "fold:0") == 0
    capsys.readouterr()
    done(copy, "foldproof", "reproduce", str(folder), "--as-is", "--keep", "again", "--quiet")
    assert (typed("again", "new"), capsys.readouterr().out) == before


def test_a_run_that_has_not_finished_labels_with_the_folds_that_have(copy, capsys):
    assert run_command(["run", "small", "--set", "train.lr=0.01", "--fold", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert typed("small", "new") == 2
    said = capsys.readouterr().err
    assert "1 of 3 folds have finished" in said
    assert "foldproof run small --resume" in said
    assert typed("small", "new", "--by", "fold:1") == 0


@pytest.mark.parametrize("spoilt", ["another fold", "cut", "another experiment", "other weights"])
def test_weights_that_are_not_those_of_the_journal_label_nothing(copy, capsys, spoilt):
    folder = run_folder(copy, "small")
    file = folder / "fold-0-0" / "model.safetensors"
    if spoilt == "another fold":
        shutil.copy(folder / "fold-0-1" / "model.safetensors", file)
    elif spoilt == "cut":
        file.write_bytes(file.read_bytes()[:-4])
    elif spoilt == "other weights":
        whole = Checkpoint.load(file)
        replace(whole, weights={name: tensor + 1 for name, tensor in whole.weights.items()}).save(file)
    else:
        shutil.copy(run_folder(copy, "half") / "fold-0-0" / "model.safetensors", file)
    assert typed("small", "new") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "model.safetensors" in err


def test_images_are_normalised_as_the_checkpoint_says(copy, capsys):
    assert typed("small", "new", "--by", "fold:0") == 0
    before = capsys.readouterr().out
    file = run_folder(copy, "small") / "fold-0-0" / "model.safetensors"
    whole = Checkpoint.load(file)
    replace(whole, preprocessing=replace(whole.preprocessing, mean=(0.1, 0.2, 0.3))).save(file)
    assert typed("small", "new", "--by", "fold:0") == 0
    assert capsys.readouterr().out != before


def test_code_of_a_record_from_elsewhere_runs_only_where_it_is_trusted(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = run_folder(trained, "own")
    assert typed(folder, trained / "new") == 2
    assert "would run code: own_model:net" in capsys.readouterr().err
    assert typed(folder, trained / "new", "--trust-code") == 0
    assert typed(run_folder(trained, "small"), trained / "new") == 0


def test_code_that_was_changed_since_is_said(copy):
    model = copy / "own_model.py"
    told = process(copy, "predict", "own", "new/more").stderr
    assert "is not what it was" not in told
    model.write_text(MODEL.replace("nn.ReLU()", "nn.GELU()"))
    assert "the code of own_model:net is not what it was" in process(copy, "predict", "own", "new/more").stderr
    model.write_text(MODEL.replace("Conv2d(3, 8", "Conv2d(3, 9").replace("Linear(8", "Linear(9"))
    assert "of another network" in process(copy, "predict", "own", "new/more", code=2).stderr


def test_a_bundle_without_weights_says_who_has_them(place, tmp_path, capsys):
    assert run_command(["bundle", "small", "-o", str(tmp_path / "small.zip")]) == 0
    capsys.readouterr()
    assert typed(tmp_path / "small.zip", "new") == 2
    said = capsys.readouterr().err
    assert f"small.zip\n  `foldproof reproduce {tmp_path / 'small.zip'} --keep" in said
    assert "--weights" in said


def test_grey_images_of_12_bits_are_labelled_as_they_were_trained_on(tmp_path, monkeypatch):
    for label, name in enumerate(("a", "b")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(8):
            noise = np.random.default_rng([label, number]).integers(0, 2000, (11, 9))
            deep = (noise + 1000 * label).astype(np.uint16)
            Image.fromarray(deep).save(tmp_path / "images" / name / f"{number}.tif")
    grey = EXPERIMENTS.replace("image_size: 8", "image_size: 8, resize: pad, channels: 1").partition("experiments")[0]
    train_inline(tmp_path, grey.replace("k: 3", "k: 2"))
    monkeypatch.chdir(tmp_path)
    record = RunRecord.read(run_folder(tmp_path, "default"))
    for fold_id in record.finished:
        sha256 = record.finished[fold_id].predictions_sha256
        stored = predictions.read(record.folder, fold_id.folder_name, classes=2, sha256=sha256)
        files = [tmp_path / "images" / sample.path for sample in stored.samples]
        by = f"fold:{fold_id.fold}"
        found = foldproof.load("default").predict(files, by=by)
        assert found[["p_a", "p_b"]].to_numpy().tolist() == stored.probabilities.tolist()
        arrays = [np.asarray(Image.open(file)) for file in files]
        assert foldproof.load("default").predict(arrays, by=by).p_a.tolist() == found.p_a.tolist()
    with pytest.raises(foldproof.errors.DataError, match="8 bits a channel"):
        foldproof.load("default").predict(np.zeros((8, 8), np.uint8))


def test_a_portable_run_is_labelled_in_its_own_arithmetic(copy):
    (copy / "params.yaml").write_text(EXPERIMENTS.replace("  half: {train: {precision: bfloat16}}\n", ""))
    switches = ("train.portable=true", "execution.executor=process")
    done(copy, "foldproof", "run", "small", *(word for one in switches for word in ("--set", one)), "--quiet")
    record = max((RunRecord.read(one) for one in Project.find(copy).run_folders()), key=lambda one: one.run)
    sha256 = record.finished[0, 0].predictions_sha256
    stored = predictions.read(record.folder, "fold-0-0", classes=3, sha256=sha256)
    (copy / "list.csv").write_text("path\n" + "\n".join(f"images/{sample.path}" for sample in stored.samples))
    rows = rows_of(process(copy, "predict", record.run, "list.csv", "--by", "fold:0").stdout)
    assert [np.float32(row["p_cat"]) for row in rows] == stored.probabilities[:, 0].tolist()
    if any(os.environ.get(name) != value for name, value in PORTABLE.items()):
        with pytest.raises(foldproof.errors.SettingsError, match="before torch is loaded"):
            foldproof.load(record.folder).predict("new")


def test_a_bundle_with_weights_labels_as_its_run_does(place, tmp_path, capsys):
    assert typed("small", "new") == 0
    expected = capsys.readouterr().out
    assert run_command(["bundle", "small", "--weights", "-o", str(tmp_path / "small.zip")]) == 0
    capsys.readouterr()
    assert typed(tmp_path / "small.zip", "new") == 0
    assert capsys.readouterr().out == expected
