"""The work with skorch, as its documentation recommends: NeuralNetClassifier, predefined_split, MlflowLogger.

    python benchmarks/peers/with_skorch.py FOLDER --experiment FirstRun:2:0.001 --workers 2

Loss and accuracy of the validation part are logged by default; that of training by an EpochScoring on the outputs of
the training steps, so that no pass is made for it. DataLoader workers as in the notebook on transfer learning. The
logger logs the parameters and the optimiser's state as the model.
"""

import kfold
import torch
from networks import Network
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring, MlflowLogger
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import Subset


def train_fold(dataset, training, validation, epochs, lr, options):
    loaded = {"num_workers": options.workers, "persistent_workers": options.workers > 0}
    net = NeuralNetClassifier(
        Network(options.backbone, len(dataset.classes), frozen=options.frozen),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=lr,
        max_epochs=epochs,
        batch_size=options.batch_size,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=256,
        **{f"iterator_{part}__{name}": value for part in ("train", "valid") for name, value in loaded.items()},
        train_split=predefined_split(Subset(dataset, validation)),
        classes=list(range(len(dataset.classes))),
        callbacks=[
            EpochScoring("accuracy", name="train_acc", on_train=True, lower_is_better=False),
            MlflowLogger(terminate_after_train=False),
        ],
        verbose=0,
    )
    net.fit(Subset(dataset, training), y=None)
    return net.history[-1]["valid_acc"]


if __name__ == "__main__":
    kfold.main(__doc__, train_fold)
