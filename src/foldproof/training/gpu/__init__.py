"""What only a GPU needs: the data set on it, steps captured and replayed, streams, several of a kind."""
