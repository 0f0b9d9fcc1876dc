"""A first look at a folder of images: no settings, nothing written beside them; what can be expected of them out."""
