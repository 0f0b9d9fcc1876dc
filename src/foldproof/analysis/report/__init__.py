"""Build one document that shows records, and render it as a page, as Markdown or as JSON."""
