"""The work with PyTorch Lightning, as its documentation recommends: LightningModule, Trainer, MLFlowLogger.

    python benchmarks/peers/with_lightning.py FOLDER --experiment FirstRun:2:0.001 --workers 2

As many persistent DataLoader workers as cores, which the Trainer asks for where there are fewer; a frozen backbone in
eval without gradients, as the page on transfer learning has it; the logger logs the checkpoint as the model. Progress
bar, model summary and sanity check are off: they take time.
"""

import logging
import warnings

import kfold
import mlflow
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import MLFlowLogger
from networks import Network
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Subset


class Classifier(LightningModule):
    def __init__(self, net, lr):
        super().__init__()
        self.net, self.lr = net, lr

    def training_step(self, batch, _number):
        return self.shared_step(batch, "train")

    def validation_step(self, batch, _number):
        self.shared_step(batch, "val")

    def shared_step(self, batch, part):
        images, labels = batch
        outputs = self.net(images)
        loss = cross_entropy(outputs, labels)
        accuracy = (outputs.argmax(1) == labels).float().mean()
        values = {f"{part}_loss": loss, f"{part}_accuracy": accuracy}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam([part for part in self.net.parameters() if part.requires_grad], lr=self.lr)


def train_fold(dataset, training, validation, epochs, lr, options):
    loaded = {"num_workers": options.workers, "persistent_workers": options.workers > 0}
    run = mlflow.active_run().info.run_id
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        precision="bf16-mixed" if options.bfloat16 else "32-true",
        logger=MLFlowLogger(run_id=run, tracking_uri=options.tracking, log_model=True),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(
        Classifier(Network(options.backbone, len(dataset.classes), frozen=options.frozen), lr),
        DataLoader(Subset(dataset, training), batch_size=options.batch_size, shuffle=True, **loaded),
        DataLoader(Subset(dataset, validation), batch_size=256, **loaded),
    )
    return float(trainer.callback_metrics["val_accuracy"])


if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    kfold.main(__doc__, train_fold)
