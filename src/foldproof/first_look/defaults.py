"""What a look assumes where nothing is said: the images at most, the folds and their seed."""

MOST_IMAGES = 2000
K, SEED = 5, 42  # as a new project has them
