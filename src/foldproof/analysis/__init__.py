"""Read records and say what they mean."""
