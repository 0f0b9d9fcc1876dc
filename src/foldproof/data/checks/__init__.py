"""What is wrong with images, and what they have in common: a scan in, findings, duplicates and a data card out."""
