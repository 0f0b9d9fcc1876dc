"""A table as somebody wrote it in; its header, texts of its cells and what was assumed out. Start with `table.py`."""
