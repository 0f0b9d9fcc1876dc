"""Mistakes that people make: each is really made, in a project of its own, and what is printed is kept."""
