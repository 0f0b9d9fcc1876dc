"""What the report shows, part by part: what was gathered in, a section of the document out. Pure."""
