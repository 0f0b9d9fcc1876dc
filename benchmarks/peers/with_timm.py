"""The work with timm, after its own train.py: create_loader, create_optimizer_v2, channels_last, a plain loop.

    python benchmarks/peers/with_timm.py FOLDER --experiment FirstRun:2:0.001 --workers 2

timm's dataset, transforms (no augmentation, squashed to the square), prefetching loader on the CPU, optimiser and
scheduler (constant); no EMA. Its documentation recommends `--amp` on GPUs: here with `--bfloat16` alone.
"""

from contextlib import nullcontext

import kfold
import mlflow
import torch
from networks import NORMALISATION, Network
from timm.data import ImageDataset, create_loader, create_transform
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import AverageMeter, accuracy
from torch import nn


def loader_of(options, positions, *, training):
    mean, std = NORMALISATION[options.backbone]
    size = (3, options.image_size, options.image_size)
    dataset = ImageDataset(str(options.folder))
    dataset.reader.samples = [dataset.reader.samples[position] for position in positions]
    loader = create_loader(
        dataset,
        input_size=size,
        batch_size=options.batch_size if training else 256,
        is_training=training,
        no_aug=True,
        mean=mean,
        std=std,
        num_workers=options.workers,
        persistent_workers=options.workers > 0,
        device=torch.device("cpu"),
    )
    dataset.transform = create_transform(size, crop_pct=1.0, crop_mode="squash", use_prefetcher=True)
    loader.loader.batch_sampler.drop_last = False  # train.py leaves out the rest of an epoch
    return loader


def epoch(net, loader, count, amp, optimizer=None):
    """Mean loss and accuracy; with an optimiser the images are trained on."""
    losses, right, loss_of = AverageMeter(), AverageMeter(), nn.CrossEntropyLoss()
    net.train(optimizer is not None)
    with torch.set_grad_enabled(optimizer is not None):
        for images, labels in loader:
            with amp():
                outputs = net(images.contiguous(memory_format=torch.channels_last))
                loss = loss_of(outputs, labels)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            losses.update(loss.item(), len(labels))
            right.update(accuracy(outputs, labels)[0].item() / 100, len(labels))
    assert losses.count == count, f"{losses.count} images of {count}"
    return losses.avg, right.avg


def train_fold(classes, training, validation, epochs, lr, options):
    net = Network(options.backbone, classes, frozen=options.frozen).to(memory_format=torch.channels_last)
    optimizer = create_optimizer_v2(net, opt="adam", lr=lr, weight_decay=0.0)
    scheduler, _ = create_scheduler_v2(
        optimizer, sched="step", num_epochs=epochs, decay_epochs=epochs + 1, warmup_epochs=0
    )
    train_loader = loader_of(options, training, training=True)
    val_loader = loader_of(options, validation, training=False)
    amp = (lambda: torch.autocast("cpu", torch.bfloat16)) if options.bfloat16 else nullcontext
    for step in range(epochs):
        train_loss, train_accuracy = epoch(net, train_loader, len(training), amp, optimizer)
        val_loss, val_accuracy = epoch(net, val_loader, len(validation), amp)
        scheduler.step(step + 1)
        values = {"train_loss": train_loss, "train_accuracy": train_accuracy}
        mlflow.log_metrics({**values, "val_loss": val_loss, "val_accuracy": val_accuracy}, step=step)
    kfold.log_model(net, options)
    return val_accuracy


def classes_of(options):
    return len(ImageDataset(str(options.folder)).reader.class_to_idx)


if __name__ == "__main__":
    kfold.main(__doc__, train_fold, classes_of)
