"""Look at a stranger's folder before it is used: what would run, send or lead elsewhere. Nothing in it is run."""
