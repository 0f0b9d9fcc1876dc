"""Version images with DVC: what was recorded, adding to it, and restoring it."""
