"""A recorded run in; it is trained again in a clean place, and whether it came out the same is said."""
