"""Which images were versioned: what DVC recorded, adding to it, and bringing it back."""
