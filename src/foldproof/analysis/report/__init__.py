"""Records in; one document that shows all of them, as a page, as Markdown or as JSON, out."""
