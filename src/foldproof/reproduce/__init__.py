"""Train a recorded run again in a clean place and compare the results."""
