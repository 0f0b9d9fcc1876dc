"""Store and load the states from which a fold resumes: its own, inside an epoch, and ends of other folds."""
