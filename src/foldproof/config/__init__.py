"""Read and check the settings, freeze them, and hash them into an identity."""
