"""Where a fold goes on from: states inside an epoch, written beside the training, and ends of other folds."""
