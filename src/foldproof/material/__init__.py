"""The images of a project, checked in every way: its settings in, what a run trains on out. Start with `gather`."""
