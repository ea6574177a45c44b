"""A room for each kind of layer: all that the host tools know about it."""
