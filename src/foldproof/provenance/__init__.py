"""Record where a result comes from: git, packages, machine, numeric class."""
