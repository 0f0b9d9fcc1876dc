"""Read a table as its author wrote it: header, cells as text, and what was assumed. Start with `table.py`."""
