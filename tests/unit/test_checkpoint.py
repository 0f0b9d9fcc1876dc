"""Weights on disk: whole, checked, and hashed by what they say."""

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from foldproof.config.identity import canonical_json, digest
from foldproof.data.value_range import ValueRange
from foldproof.errors import DamagedFile
from foldproof.training.checkpoint import Checkpoint, Preprocessing, save_tensors, weights_sha256

WEIGHTS = {"b": torch.arange(6, dtype=torch.float32).reshape(2, 3), "a": torch.tensor(7, dtype=torch.int64)}


def checkpoint(**changed: object) -> Checkpoint:
    values: dict[str, object] = {
        "weights": WEIGHTS,
        "backbone": "small_cnn",
        "classes": ("cat", "dög"),
        "preprocessing": Preprocessing(image_size=8, resize="squash", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        "identity": "0" * 64,
        "run": "r",
        "repeat": 0,
        "fold": 1,
        "epoch": 2,
    }
    return Checkpoint(**{**values, **changed})


DEEP = Preprocessing(image_size=8, resize="squash", mean=(0.5,), std=(0.5,), within=ValueRange(-0.5, 4095.0, 16))
ABOUT = {name: value for name, value in asdict(replace(checkpoint(), weights={})).items() if name != "weights"}
ABOUT["preprocessing"] = checkpoint().preprocessing.to_json()


class Boom:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_the_hash_covers_name_dtype_shape_and_bytes_in_name_order():
    b = WEIGHTS["b"].numpy().tobytes()
    expected = hashlib.sha256(b"a int64 [] " + (7).to_bytes(8, "little") + b"b float32 [2, 3] " + b).hexdigest()
    assert weights_sha256(WEIGHTS) == expected


def test_the_hash_does_not_depend_on_the_order_or_layout_of_tensors():
    turned = {"a": WEIGHTS["a"], "b": WEIGHTS["b"].T.contiguous().T}
    assert not turned["b"].is_contiguous()
    assert weights_sha256(turned) == weights_sha256(WEIGHTS)


@pytest.mark.parametrize(
    "other",
    [
        {"a": WEIGHTS["a"], "c": WEIGHTS["b"]},
        {"a": WEIGHTS["a"], "b": WEIGHTS["b"].reshape(3, 2)},
        {"a": WEIGHTS["a"], "b": WEIGHTS["b"].double()},
        {"a": WEIGHTS["a"] + 1, "b": WEIGHTS["b"]},
    ],
)
def test_the_hash_changes_with_anything_that_counts(other):
    assert weights_sha256(other) != weights_sha256(WEIGHTS)


def test_what_was_saved_is_loaded(tmp_path):
    saved = checkpoint()
    loaded = Checkpoint.load(saved.save(tmp_path / "model.safetensors"))
    assert weights_sha256(loaded.weights) == weights_sha256(WEIGHTS)
    assert (loaded.classes, loaded.preprocessing, loaded.epoch) == (saved.classes, saved.preprocessing, 2)


def test_the_range_of_values_is_part_of_what_was_saved_and_an_older_foldproof_refuses_it(tmp_path):
    saved = checkpoint(preprocessing=DEEP).save(tmp_path / "model.safetensors")
    assert Checkpoint.load(saved).preprocessing == DEEP
    versions = []
    for preprocessing in (DEEP, checkpoint().preprocessing):
        with safe_open(checkpoint(preprocessing=preprocessing).save(saved), framework="pt") as file:
            versions.append(json.loads(file.metadata()["foldproof"])["v"])
    assert versions == [3, 2]


def test_the_file_itself_is_the_same_each_time(tmp_path):
    first, second = (checkpoint().save(tmp_path / name).read_bytes() for name in ("one", "two"))
    assert first == second


def test_a_file_of_schema_version_1_is_read(tmp_path):
    stored = Path(__file__).parents[1] / "golden" / "checkpoint_v1" / "model.safetensors"
    loaded, now = Checkpoint.load(stored), checkpoint()
    assert weights_sha256(loaded.weights) == weights_sha256(WEIGHTS)
    assert replace(loaded, weights={}) == replace(now, weights={})


def spelled(version: object, **changed: object) -> dict[str, object]:
    """What a file says beside the weights, with its checksum made anew."""
    about = {**ABOUT, "weights_sha256": weights_sha256(WEIGHTS), **changed, "v": version}
    return about if version == 1 else {**about, "sha256": digest(about)}


@pytest.mark.parametrize(
    "about",
    [
        {**spelled(2), "v": 1},
        {**spelled(1), "v": 2},
        spelled(0),
        spelled(3),
        spelled(4, preprocessing=DEEP.to_json()),
        spelled(2, preprocessing=DEEP.to_json()),
        spelled(3, preprocessing={**DEEP.to_json(), "range": {"low": 1.0, "high": 1.0, "bits": 16}}),
        spelled(3, preprocessing={**DEEP.to_json(), "range": {"low": 1.0, "high": 2.0, "bits": 12}}),
        spelled(True),
        spelled("2"),
        {**spelled(2), "epoch": 3},
        {**spelled(2), "more": 1},
        spelled(2, classes="cat"),
        spelled(2, classes=["cat", 1]),
        spelled(2, epoch=True),
        spelled(2, preprocessing={**ABOUT["preprocessing"], "mean": ["nan"] * 3}),
        spelled(2, preprocessing={**ABOUT["preprocessing"], "std": [1.0, "inf", 1.0]}),
        spelled(2, preprocessing=None),
        [],
    ],
)
def test_what_no_version_wrote_is_refused(tmp_path, about):
    path = save_tensors(tmp_path / "model.safetensors", WEIGHTS, canonical_json(about).decode())
    with pytest.raises(DamagedFile) as caught:
        Checkpoint.load(path)
    assert len(str(caught.value).splitlines()) <= 3


def test_another_spelling_of_the_same_is_refused(tmp_path):
    text = canonical_json(spelled(2)).decode()
    Checkpoint.load(save_tensors(tmp_path / "model.safetensors", WEIGHTS, text))
    for other in (text.replace("{", "{ ", 1), text.replace("ö", "\\u00f6"), text.replace('"v"', '"v":2,"v"')):
        assert other != text
        with pytest.raises(DamagedFile):
            Checkpoint.load(save_tensors(tmp_path / "model.safetensors", WEIGHTS, other))


@pytest.mark.parametrize("about", ["[" * 100_000, "9" * 10_000, '"v"', '{"v": NaN}', "\\"])
def test_absurd_words_beside_the_weights_are_refused(tmp_path, about):
    with pytest.raises(DamagedFile):
        Checkpoint.load(save_tensors(tmp_path / "model.safetensors", WEIGHTS, about))


def test_absurd_sizes_are_refused_unread(tmp_path):
    path = tmp_path / "model.safetensors"
    for head in (b"\xff" * 8, (2**40 - 8).to_bytes(8, "little"), (100).to_bytes(8, "little")):
        path.write_bytes(head + b"{}")
        with pytest.raises(DamagedFile, match=f"a header of {int.from_bytes(head, 'little')} bytes"):
            Checkpoint.load(path)
        with path.open("r+b") as file:
            file.truncate(2**40)  # sparse: takes no room
        with pytest.raises(DamagedFile):
            Checkpoint.load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(DamagedFile):
        Checkpoint.load(tmp_path / "model.safetensors")


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="a file that nobody can read from its beginning")
def test_what_the_system_does_not_let_be_read_is_no_checkpoint():
    with pytest.raises(DamagedFile, match="is not a checkpoint"):
        Checkpoint.load(Path("/proc/self/mem"))


def test_a_pickle_in_its_place_is_not_unpickled(tmp_path):
    torch.save({"weights": Boom(tmp_path / "boom")}, tmp_path / "model.safetensors")
    with pytest.raises(DamagedFile):
        Checkpoint.load(tmp_path / "model.safetensors")
    assert not (tmp_path / "boom").exists()


def test_a_flipped_bit_in_any_byte_of_a_tensor_is_detected(tmp_path):
    path = checkpoint().save(tmp_path / "model.safetensors")
    whole = path.read_bytes()
    for position in range(len(whole) - 32, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        with pytest.raises(DamagedFile):
            Checkpoint.load(path)


@pytest.mark.parametrize("length", [0, 5, 100, -1])
def test_a_cut_file_is_detected(tmp_path, length):
    path = checkpoint().save(tmp_path / "model.safetensors")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFile):
        Checkpoint.load(path)


def test_a_file_of_somebody_else_is_not_a_checkpoint(tmp_path):
    from safetensors.torch import save_file

    save_file(WEIGHTS, tmp_path / "model.safetensors")
    with pytest.raises(DamagedFile):
        Checkpoint.load(tmp_path / "model.safetensors")
