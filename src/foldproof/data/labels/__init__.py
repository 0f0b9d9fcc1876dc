"""What images are: their paths, a table and rules in; label, group, fold, split and time of each out."""
