"""What numbers carry: scores of folds and images in; intervals, probabilities and tests out. Pure."""
