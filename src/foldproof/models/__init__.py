"""Build backbones by name, for a number of classes."""
