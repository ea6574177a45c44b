"""A network between its source and a model file: values and layers, and what they compute."""
