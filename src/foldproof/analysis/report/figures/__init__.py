"""Draw the figures of the report, one file for each kind."""
