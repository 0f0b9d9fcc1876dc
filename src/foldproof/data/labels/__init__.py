"""Label images from paths, tables and rules: label, group, fold, split and time of each."""
