"""Decoded images that folds, epochs, experiments and processes share: a dataset in, one mapped file out."""
