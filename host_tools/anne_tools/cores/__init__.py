"""The cores that run a model file on this computer."""
