"""Train one fold of a `FoldTask` and yield a stream of events."""
