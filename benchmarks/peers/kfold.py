"""What the peers have in common: the command line, stratified folds, an MLflow run an experiment, a nested one a fold.

Each peer hands `main` a function that trains one fold inside its MLflow run and returns the last validation accuracy.
"""

import argparse
from pathlib import Path

import mlflow
import numpy as np
import timm
import torch
import torchvision
from networks import BACKBONES, NORMALISATION
from sklearn.model_selection import StratifiedKFold
from torchvision import datasets, transforms

REQUIREMENTS = [
    f"{library.__name__}=={library.__version__.partition('+')[0]}" for library in (torch, torchvision, timm)
]


def parse(about):
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--experiment", action="append", required=True, metavar="NAME:EPOCHS:LR")
    parser.add_argument("--backbone", default="small_cnn", choices=BACKBONES)
    parser.add_argument("--frozen", action="store_true", help="published weights; train the last layer alone")
    parser.add_argument("--image-size", type=int, default=28)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first-folds", type=int, help="train only so many of them")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true", help="the library's own switch for it")
    parser.add_argument("--tracking", default="sqlite:///mlflow.db")
    return parser.parse_args()


def images_of(options):
    """The folder as torchvision reads it: resized to a square, normalised."""
    size = (options.image_size, options.image_size)
    normalise = transforms.Normalize(*NORMALISATION[options.backbone])
    return datasets.ImageFolder(
        options.folder, transforms.Compose([transforms.Resize(size), transforms.ToTensor(), normalise])
    )


def main(about, train_fold, prepare=images_of):
    options = parse(about)
    torch.manual_seed(42)
    mlflow.set_tracking_uri(options.tracking)
    mlflow.set_experiment("usual")
    dataset = prepare(options)
    labels = np.array(datasets.ImageFolder(options.folder).targets)
    for spelled in options.experiment:
        name, epochs, lr = spelled.split(":")
        run_experiment(name, int(epochs), float(lr), labels, dataset, options, train_fold)


def run_experiment(name, epochs, lr, labels, dataset, options, train_fold):
    scores = []
    with mlflow.start_run(run_name=name):
        mlflow.log_params({"epochs": epochs, "lr": lr, "k": options.folds, "backbone": options.backbone})
        splits = list(StratifiedKFold(options.folds, shuffle=True, random_state=42).split(labels, labels))
        for fold, (training, validation) in enumerate(splits[: options.first_folds]):
            with mlflow.start_run(run_name=f"fold-{fold}", nested=True):
                counts = {"images_train": len(training), "images_val": len(validation)}
                mlflow.log_params({"epochs": epochs, "lr": lr, **counts})
                scores.append(train_fold(dataset, training, validation, epochs, lr, options))
        mlflow.log_metric("cv_accuracy_mean", float(np.mean(scores)))
        mlflow.log_metric("cv_accuracy_std", float(np.std(scores)))
    print(f"{name}: {np.mean(scores):.4f} ± {np.std(scores):.4f}")


def log_model(net, options):
    image = np.zeros((1, 3, options.image_size, options.image_size), dtype=np.float32)
    mlflow.pytorch.log_model(net.eval(), name="model", input_example=image, pip_requirements=REQUIREMENTS)
