"""Draw the figures of the report, one file for each kind. Matplotlib is imported when one is drawn."""
