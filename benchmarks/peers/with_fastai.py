"""The work with fastai, as its documentation recommends: DataBlock, Learner, fit; a callback tells MLflow.

    python benchmarks/peers/with_fastai.py FOLDER --experiment FirstRun:2:0.001

Squashed to the square by `item_tfms`, normalised on whole batches by `batch_tfms`, as many workers as cores, which is
fastai's own default. MLflow 3 has no `mlflow.fastai` any more, so a callback logs what the Recorder holds. The whole
Learner's network is the same as elsewhere, and the rate is constant, for the sake of the same work.
"""

from pathlib import Path

import kfold
import mlflow
from fastai.callback.core import Callback
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.transforms import IndexSplitter, Normalize, parent_label
from fastai.learner import AvgMetric, Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.metrics import accuracy
from fastai.optimizer import Adam
from fastai.vision.augment import Resize, ResizeMethod
from fastai.vision.data import ImageBlock
from networks import NORMALISATION, Network
from torchvision.datasets import ImageFolder


class TellMlflow(Callback):
    """After each epoch: the Recorder's losses and accuracy, and the accuracy of the training steps."""

    order = 60  # after the Recorder

    def before_train(self):
        self.right = self.seen = 0

    def after_loss(self):
        if self.training:
            self.right += int((self.pred.argmax(1) == self.y).sum())
            self.seen += len(self.y)

    def after_epoch(self):
        train_loss, val_loss, val_accuracy = self.recorder.values[-1]
        values = {"train_loss": train_loss, "val_loss": val_loss, "val_accuracy": val_accuracy}
        mlflow.log_metrics({**values, "train_accuracy": self.right / self.seen}, step=self.epoch)


def train_fold(files, _training, validation, epochs, lr, options):
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=lambda _: files,
        get_y=parent_label,
        splitter=IndexSplitter([int(number) for number in validation]),
        item_tfms=Resize(options.image_size, method=ResizeMethod.Squish),
        batch_tfms=Normalize.from_stats(*NORMALISATION[options.backbone], cuda=False),
    )
    loaded = {} if options.workers == 0 else {"num_workers": options.workers}
    loaders = block.dataloaders(options.folder, bs=options.batch_size, val_bs=256, drop_last=False, **loaded)
    net = Network(options.backbone, len(loaders.vocab), frozen=options.frozen)
    learner = Learner(
        loaders,
        net,
        loss_func=CrossEntropyLossFlat(),
        opt_func=Adam,
        splitter=lambda net: [[part for part in net.parameters() if part.requires_grad]],
        metrics=AvgMetric(accuracy),
        wd=0,
        cbs=TellMlflow(),
    )
    with learner.no_logging():
        learner.fit(epochs, lr)
    kfold.log_model(net, options)
    return float(learner.recorder.values[-1][2])


def files_of(options):
    """As torchvision orders them, so that the folds are the same."""
    return [Path(file) for file, _ in ImageFolder(options.folder).samples]


if __name__ == "__main__":
    kfold.main(__doc__, train_fold, files_of)
