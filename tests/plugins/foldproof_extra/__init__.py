"""Parts for foldproof in a package of their own: a file each here, and a line each in its entry points."""
