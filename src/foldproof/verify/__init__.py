"""Verify a recorded run level by level, from checks of seconds to a training."""
