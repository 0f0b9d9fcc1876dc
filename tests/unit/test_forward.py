"""How a network is computed: bfloat16 and compiled."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from foldproof.config.identity import canonical_json
from foldproof.config.schema import TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels.fitted import Form
from foldproof.errors import SettingsError
from foldproof.events.types import CheckpointSaved, EpochFinished, FoldFinished
from foldproof.models.backbone import build
from foldproof.models.small_cnn import small_cnn
from foldproof.storage import write_atomically
from foldproof.training import determinism, loop
from foldproof.training.checkpoint import Checkpoint
from foldproof.training.forward import bfloat16_is_slow, check_compiler, forward_of, use_precision
from foldproof.training.frozen.features import frozen_features
from foldproof.training.loop import evaluate, train
from foldproof.training.step import arithmetic
from foldproof.training.task import FoldTask, ModelRequest

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(3).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def settled():
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    determinism.settle(CPU, threads=1)
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(mode)


def task_of(folder, **settings) -> FoldTask:
    """One fold of 40 random pictures of two classes."""
    folder.mkdir()
    samples = tuple(
        Sample(path=f"{'ab'[number % 2]}/{number}.png", sha256=f"{number:064x}", label="ab"[number % 2])
        for number in range(len(IMAGES))
    )
    write_atomically(folder / "dataset.json", canonical_json(Dataset(samples).to_json()))
    np.save(folder / "images.npy", IMAGES)
    train = TrainSettings(epochs=2, batch_size=8, **settings)
    request = ModelRequest(
        backbone=train.backbone,
        pretrained=False,
        freeze_backbone=train.freeze_backbone,
        image_size=16,
        any_image_size=True,
        classes=("a", "b"),
        batch_size=8,
        threads=1,
        device="cpu",
        plugins=folder,
    )
    positions = np.arange(len(IMAGES))
    return FoldTask(
        run="run",
        repeat=0,
        fold=0,
        identity="identity",
        fold_key="key",
        model=request,
        form=Form(size=16),
        train=train,
        dataset=folder / "dataset.json",
        images=folder / "images.npy",
        train_positions=positions[10:],
        validation_positions=positions[:10],
        folder=folder,
        checkpoint_seconds=1e9,
    )


def weights_after(task: FoldTask) -> str:
    (finished,) = [body for body in train(task) if isinstance(body, FoldFinished)]
    return finished.weights_sha256


def test_bfloat16_gives_other_weights_than_float32_and_the_same_ones_twice(tmp_path):
    weights = [
        weights_after(task_of(tmp_path / name, precision=precision))
        for name, precision in (("one", "bfloat16"), ("two", "bfloat16"), ("three", "float32"))
    ]
    assert weights[0] == weights[1] != weights[2]


def test_a_fold_is_scored_once_an_epoch_and_keeps_states_within_epochs_where_they_are_due(tmp_path, monkeypatch):
    scored = []
    monkeypatch.setattr(loop, "evaluate", lambda *given: scored.append(1) or evaluate(*given))
    seldom = [body for body in train(task_of(tmp_path / "seldom")) if body is not None]
    assert len(scored) == 2
    assert [body.epoch for body in seldom if isinstance(body, CheckpointSaved)] == [2, 3, 2]
    often = replace(task_of(tmp_path / "often"), checkpoint_seconds=0.0)
    epochs = [body.epoch for body in train(often) if isinstance(body, CheckpointSaved)]
    assert len(epochs) > 2
    assert 1 in epochs


def test_a_fold_in_bfloat16_has_float32_weights_and_learns(tmp_path):
    task = task_of(tmp_path / "fold", precision="bfloat16")
    bodies = list(train(replace(task, train=replace(task.train, epochs=12))))
    losses = [body.train_loss for body in bodies if isinstance(body, EpochFinished)]
    assert losses[-1] < losses[0]
    stored = Checkpoint.load(task.folder / "model.safetensors").weights
    assert {tensor.dtype for tensor in stored.values() if tensor.is_floating_point()} == {torch.float32}


def test_a_row_of_features_in_bfloat16_depends_on_its_image_alone():
    torch.manual_seed(4)
    classifier = build("small_cnn", classes=3, pretrained=False)
    features = frozen_features(classifier, IMAGES, device="cpu", precision="bfloat16")
    order = np.random.default_rng(1).permutation(len(IMAGES))
    assert features.dtype == torch.float32
    assert torch.equal(frozen_features(classifier, IMAGES[order], device="cpu", precision="bfloat16"), features[order])
    assert torch.equal(frozen_features(classifier, IMAGES[[5]], device="cpu", precision="bfloat16"), features[[5]])
    exact = frozen_features(classifier, IMAGES, device="cpu")
    assert not torch.equal(features, exact)
    assert torch.allclose(features, exact, atol=0.05)


def test_what_comes_out_of_a_network_in_bfloat16_is_float32():
    net, inputs = nn.Linear(4, 2), torch.ones(3, 4) / 3
    outputs = forward_of(net, "bfloat16", CPU)(inputs)
    assert outputs.dtype == torch.float32
    assert torch.equal(outputs.to(torch.bfloat16).float(), outputs)
    assert not torch.equal(outputs, forward_of(net, "float32", CPU)(inputs))


def test_the_precision_belongs_to_the_numeric_class():
    prints = {determinism.numeric_fingerprint(CPU, precision=precision) for precision in ("float32", "bfloat16")}
    assert len(prints) == 2
    with use_precision("float32", CPU):
        assert determinism.numeric_fingerprint(CPU) in prints


def test_small_cnn_gives_the_numbers_that_it_gave_when_it_rectified_before_pooling():
    def of(*, pooled_last: bool) -> list[torch.Tensor]:
        torch.manual_seed(1)
        net = small_cnn(classes=3, pretrained=False).to(memory_format=torch.channels_last).train()
        if pooled_last:
            for block in list(net.trunk)[:3]:
                block[2], block[3] = nn.ReLU(), nn.MaxPool2d(2)
        outputs = net(torch.randn(8, 3, 28, 28))
        outputs.square().sum().backward()
        return [outputs.detach(), *(parameter.grad for parameter in net.parameters())]

    assert all(torch.equal(one, other) for one, other in zip(of(pooled_last=True), of(pooled_last=False), strict=True))


def test_without_a_compiler_nothing_is_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SettingsError, match="needs a C\\+\\+ compiler") as caught:
        check_compiler(CPU)
    assert "train.compile: false" in caught.value.next_step


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # what a compiler says of itself
def test_a_compiled_fold_gives_the_same_bits_twice_whatever_was_compiled_before(tmp_path):
    if not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("no C++ compiler")
    first = weights_after(task_of(tmp_path / "one", compile=True))
    weights_after(task_of(tmp_path / "other", compile=True, seed=9))
    assert weights_after(task_of(tmp_path / "two", compile=True)) == first


def test_a_compiler_is_asked_for_on_a_cpu_alone(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SettingsError, match="needs a C\\+\\+ compiler"):
        check_compiler(CPU)
    check_compiler(torch.device("meta"))
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/own" if name == "own" else None)
    monkeypatch.setenv("CXX", "own")
    check_compiler(CPU)


@pytest.mark.parametrize("there", ["g++", "clang++", "cl", "my-compiler"])
def test_any_known_compiler_or_the_one_that_is_named_will_do_and_a_gpu_needs_none(monkeypatch, there):
    monkeypatch.setenv("CXX", "my-compiler")
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name == there else None)
    check_compiler(torch.device("cpu"))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    check_compiler(torch.device("cuda"))
    with pytest.raises(SettingsError, match=r"needs a C\+\+ compiler"):
        check_compiler(torch.device("cpu"))


@pytest.mark.parametrize(
    ("avx512", "amx", "slow"), [(False, False, True), (True, False, False), (False, True, False), (True, True, False)]
)
def test_bfloat16_is_slow_where_a_processor_has_neither_of_its_instructions(monkeypatch, avx512, amx, slow):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert bfloat16_is_slow(torch.device("cpu")) is slow


def test_a_part_of_a_network_that_a_step_does_not_use_stays_as_it_is():
    """As torch does where gradients are nothing; where they are zero, momentum would go on moving it."""
    used, unused = torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([used, unused], lr=0.1)
    drops = iter([False, True])
    compute = arithmetic(lambda inputs: inputs @ used + (0 if next(drops) else unused), optimizer, torch.ones(3))
    inputs, labels = torch.tensor([[1.0, 2.0]]), torch.tensor([1])
    compute(inputs, labels)
    before = unused.detach().clone()
    assert not torch.equal(before, torch.ones(3))
    compute(inputs, labels)
    assert torch.equal(unused, before)
