"""A run as one file that can be sent, cited and checked: a run's folder in, a ZIP file out, and back."""
