"""What is measured: foldproof beside the usual script (`make bench`), and single parts beside what they replace."""
