"""Plan runs: split the images, measure the models, decide what to train, and open the run folders."""
