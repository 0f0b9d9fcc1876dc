"""Images on disk become a `Dataset` with a fingerprint."""
