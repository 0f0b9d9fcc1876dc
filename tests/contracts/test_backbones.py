"""What every backbone promises, over the table and a few models of each library."""

from collections.abc import Iterator

import pytest
import safetensors.torch
import torch

from foldproof import registry
from foldproof.models.backbone import Classifier, InputSpec, build, check_forward

FROM_LIBRARIES = ("resnet18", "mobilenet_v3_small", "squeezenet1_1", "timm/resnet10t", "timm/mobilenetv3_small_050")
SIZE = 64


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=(*registry.names("backbones"), *FROM_LIBRARIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def built(name: str, *, classes: int = 3, seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return build(name, classes=classes, pretrained=False)


def same(one: Classifier, other: Classifier) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def pictures(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("classes", [2, 7])
def test_images_become_a_logit_a_class(name: str, classes: int):
    logits = built(name, classes=classes).eval()(pictures())
    assert logits.shape == (2, classes)
    assert logits.dtype == torch.float32


def test_trunk_and_head_make_up_the_whole_and_share_nothing(name: str):
    classifier = built(name).eval()
    assert torch.equal(classifier.head(classifier.trunk(pictures())), classifier(pictures()))
    assert {key.split(".")[0] for key in classifier.state_dict()} == {"trunk", "head"}
    trunk, head = ({id(tensor) for tensor in part.parameters()} for part in (classifier.trunk, classifier.head))
    assert not trunk & head


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(name: str):
    assert same(built(name, seed=1), built(name, seed=1))
    assert not same(built(name, seed=1), built(name, seed=2))


def test_the_head_is_drawn_from_the_seed_too(name: str):
    one, other = (next(built(name, seed=seed).head.parameters()) for seed in (1, 2))
    assert not torch.equal(one, other)


def test_weights_survive_a_safetensors_file(name: str):
    classifier = built(name, seed=1)
    stored = safetensors.torch.save({key: tensor.contiguous() for key, tensor in classifier.state_dict().items()})
    again = built(name, seed=2)
    again.load_state_dict(safetensors.torch.load(stored))
    assert same(classifier, again)
    assert torch.equal(classifier.eval()(pictures()), again.eval()(pictures()))


def test_it_says_what_it_expects_and_takes_it(name: str):
    classifier = built(name)
    assert isinstance(classifier.input, InputSpec)
    assert not classifier.input.fixed
    assert classifier.pretrained is False
    check_forward(classifier, classifier.input.image_size, classes=3, name=name)


def test_the_check_changes_nothing(name: str):
    classifier, untouched = built(name), built(name)
    classifier.trunk.eval()
    modes = [part.training for part in classifier.modules()]
    generator = torch.get_rng_state()
    check_forward(classifier, SIZE, classes=3, name=name)
    assert same(classifier, untouched)
    assert [part.training for part in classifier.modules()] == modes
    assert torch.equal(torch.get_rng_state(), generator)


def test_every_weight_can_learn(name: str):
    classifier = built(name).train()
    torch.nn.functional.cross_entropy(classifier(pictures(8)), torch.arange(8) % 3).backward()
    idle = [key for key, weight in classifier.named_parameters() if weight.grad is None]
    assert idle == []
