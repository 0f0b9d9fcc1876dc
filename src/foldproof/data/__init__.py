"""Turn images on disk into a `Dataset` with a fingerprint."""
