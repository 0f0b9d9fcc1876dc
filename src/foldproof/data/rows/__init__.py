"""Store rows that can be recomputed (pixels, features) with proof that each is as it was written."""
