"""Record a run as an append-only sequence of things that happened."""
