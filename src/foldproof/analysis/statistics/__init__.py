"""Compute intervals, probabilities and tests from scores of folds and images. Pure."""
