"""Read records; say what they mean."""
