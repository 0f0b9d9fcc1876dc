"""Weights on disk: whole, checked, and hashed by what they say."""

import hashlib

import pytest
import torch

from foldproof.errors import DamagedFile
from foldproof.training.checkpoint import Checkpoint, Preprocessing, weights_sha256

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


def test_the_file_itself_is_the_same_each_time(tmp_path):
    first, second = (checkpoint().save(tmp_path / name).read_bytes() for name in ("one", "two"))
    assert first == second


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
