"""Write what people and DVC read of runs that have ended."""
