"""Decode images once into a mapped file that folds, epochs, experiments and processes share."""
