"""Make candidates of results from other programs: scores of folds, or predictions."""
