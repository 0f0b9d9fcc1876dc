"""Rehearse a run: one fold, one epoch, few images, and every later step."""
