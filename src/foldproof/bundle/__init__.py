"""Pack a run into one ZIP file that can be sent, cited and checked, and open it again."""
