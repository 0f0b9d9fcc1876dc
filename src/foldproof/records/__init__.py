"""Read what is stored of runs: facts, replayed journals, predictions, and all runs of a project."""
