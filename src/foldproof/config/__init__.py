"""What the user asked for: read once, checked once, frozen, hashed into an identity."""
