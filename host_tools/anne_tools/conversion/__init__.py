"""From a network to a model file, and what is told about it."""
