"""Load the images of a project, checked in every way, as what a run trains on. Start with `load`."""
