"""Somebody else's results: scores of folds, or predictions, from whatever trained them; candidates out."""
