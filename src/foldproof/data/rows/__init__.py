"""Files of rows that can be computed anew, kept beside proof that every row is as it was written. Pixels, features."""
