"""Train on a GPU: the data set in its memory, steps captured and replayed, streams, several GPUs of a kind."""
