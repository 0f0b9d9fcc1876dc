"""A training as the documents describe it, written a second time in plain torch, PIL and numpy alone."""
