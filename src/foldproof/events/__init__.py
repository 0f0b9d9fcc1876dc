"""The record of a run: an append-only sequence of things that happened."""
