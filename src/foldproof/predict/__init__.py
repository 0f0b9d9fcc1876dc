"""Label new images with the models of a run."""
