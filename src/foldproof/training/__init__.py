"""Train one fold: a `FoldTask` goes in, a stream of events comes out."""
