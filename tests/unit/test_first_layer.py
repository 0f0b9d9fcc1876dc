"""Networks for grey pictures: what they were for colour, with one channel."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from foldproof import registry
from foldproof.errors import ModelError
from foldproof.models.backbone import Classifier, InputSpec, build, check_forward
from foldproof.models.first_layer import adapt_channels

MODELS = (*registry.names("backbones"), "resnet18", "mobilenet_v3_small", "timm/resnet10t", "timm/vit_tiny_patch16_224")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def built(name: str, *, channels: int, pretrained: bool = False) -> Classifier:
    torch.manual_seed(3)
    return adapt_channels(build(name, classes=3, pretrained=pretrained), channels, name=name).eval()


@pytest.mark.parametrize("name", MODELS)
def test_a_grey_picture_once_is_what_it_was_three_times(name: str):
    one, three = built(name, channels=1), built(name, channels=3)
    size = 224 if "vit" in name else 64
    grey = torch.randn(2, 1, size, size, generator=torch.Generator().manual_seed(9))
    with torch.inference_mode():
        assert torch.allclose(one(grey), three(grey.repeat(1, 3, 1, 1)), atol=2e-4)
    check_forward(one, size, classes=3, name=name)
    assert (one.input.channels, three.input.channels) == (1, 3)


def test_the_weights_that_are_published_are_summed_too():
    one, three = (built("efficientnet_lite0", channels=channels, pretrained=True) for channels in (1, 3))
    grey = torch.randn(1, 1, 224, 224, generator=torch.Generator().manual_seed(9))
    with torch.inference_mode():
        assert torch.allclose(one(grey), three(grey.repeat(1, 3, 1, 1)), atol=1e-4)
    assert (one.input.mean, one.input.std) == ((0.5,), (0.5,))


def test_three_channels_are_left_as_they_are():
    torch.manual_seed(3)
    plain = build("small_cnn", classes=3, pretrained=False)
    same = built("small_cnn", channels=3).state_dict()
    assert all(torch.equal(value, same[key]) for key, value in plain.state_dict().items())


def test_random_weights_vary_as_those_of_a_layer_of_one_channel():
    torch.manual_seed(0)
    summed = (
        adapt_channels(build("small_cnn", classes=3, pretrained=False), 1, name="small_cnn").trunk[0][0].weight.detach()
    )
    drawn = torch.cat([nn.Conv2d(1, 32, 3, bias=False).weight.detach() for _ in range(40)])
    assert float(summed.std()) == pytest.approx(float(drawn.std()), rel=0.15)


def test_small_cnn_has_576_parameters_less_for_grey():
    counts = [sum(weight.numel() for weight in built("small_cnn", channels=n).parameters()) for n in (3, 1)]
    assert counts[0] - counts[1] == 576


def test_a_network_of_the_users_that_takes_one_channel_stays_as_it_is():
    spec = InputSpec(8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=False)
    trunk = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    own = Classifier(trunk, nn.Linear(4, 2), input=spec, pretrained=False)
    before = trunk[0].weight.clone()
    assert torch.equal(adapt_channels(own, 1, name="own").trunk[0].weight, before)


@pytest.mark.parametrize("trunk", [nn.Flatten(), nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.Flatten())])
def test_a_network_without_such_a_layer_says_so(trunk: nn.Module):
    spec = InputSpec(8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=False)
    with pytest.raises(ModelError, match="does not begin with a convolution of three channels") as raised:
        adapt_channels(Classifier(trunk, nn.Linear(4, 2), input=spec, pretrained=False), 1, name="own")
    assert "data.channels: 3" in raised.value.next_step
