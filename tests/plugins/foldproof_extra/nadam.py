"""Adam with Nesterov momentum (Dozat 2016)."""

import torch


def nadam(parameters, train):
    """An optimiser of `parameters` by the settings of the section `train`."""
    return torch.optim.NAdam(parameters, lr=train.lr, weight_decay=train.weight_decay)
