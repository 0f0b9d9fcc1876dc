"""A frozen backbone's features by one forward pass, then scikit-learn's LogisticRegression on each fold.

    python benchmarks/peers/features_by_hand.py FOLDER --frozen --backbone resnet18 --experiment FirstRun:2:0.001

What somebody writes who does without curves. It has no epochs: each fold logs its four metrics once. An experiment's
C is 1,000 times its learning rate, so that there are as many of them.
"""

import kfold
import mlflow
import numpy as np
import torch
from networks import BACKBONES
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch.utils.data import DataLoader

REQUIREMENTS = ["scikit-learn"]


def features_of(options):
    dataset = kfold.images_of(options)
    backbone, _ = BACKBONES[options.backbone](pretrained=True)
    backbone.eval()
    with torch.inference_mode():
        loader = DataLoader(dataset, batch_size=32, num_workers=options.workers)
        rows = torch.cat([backbone(images) for images, _ in loader]).numpy()
    return rows, np.array(dataset.targets)


def train_fold(data, training, validation, _epochs, lr, _options):
    features, labels = data
    model = LogisticRegression(C=1000 * lr, max_iter=1000).fit(features[training], labels[training])
    values = {}
    for part, positions in (("train", training), ("val", validation)):
        values[f"{part}_loss"] = log_loss(labels[positions], model.predict_proba(features[positions]))
        values[f"{part}_accuracy"] = model.score(features[positions], labels[positions])
    mlflow.log_metrics(values, step=0)
    mlflow.sklearn.log_model(
        model,
        name="model",
        input_example=features[:1],
        pip_requirements=REQUIREMENTS,
        serialization_format="cloudpickle",
    )
    return values["val_accuracy"]


if __name__ == "__main__":
    kfold.main(__doc__, train_fold, features_of)
