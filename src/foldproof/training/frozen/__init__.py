"""A frozen backbone: its features by one canonical pass, computed once and kept."""
