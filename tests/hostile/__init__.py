"""Attacks drawn by seed on everything that comes from somebody else, and an oracle that believes no message."""
