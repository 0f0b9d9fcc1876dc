"""What stands on disk of the runs: facts, journals replayed, predictions; and the runs of a project as one store."""
