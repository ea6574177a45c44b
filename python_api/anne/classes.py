"""Which class a network's outputs stand for: the one rule of `Model.classify`, and of what the host tools tell."""

# Activations whose single output is the probability of class 1.
_PROBABILITIES = ("sigmoid", "hard_sigmoid", "softmax")


def class_of(y, threshold=None):
    """Return the number of the class for y, a list of outputs: the largest one's, the first's of equal ones.

    A single output says 1 above `threshold` (None: 0.5), and 0 at it and below, as scikit-learn decides.
    ValueError if an output is NaN.
    """
    for i, v in enumerate(y):
        if v != v:
            raise ValueError(
                "classify: output %d is NaN, neither more nor less than any number: no class" % i
            )
    if len(y) == 1:
        return 1 if y[0] > (0.5 if threshold is None else threshold) else 0
    return y.index(max(y))


def is_probability(file):
    """Tell whether the one output of a ModelFile is the probability of class 1.

    ValueError if it is a number like any other: no probability, and the file names neither labels nor a threshold.
    """
    tensor = file.outputs[0]
    for layer in reversed(file.layers):
        if layer.outputs[0] is tensor and layer.kind == "reshape":
            tensor = layer.inputs[0]
        elif layer.outputs[0] is tensor:
            if layer.activation in _PROBABILITIES:
                return True
            break
    if not file.metadata.get("labels") and "threshold" not in file.metadata:
        raise ValueError(
            "classify: expected a classifier, got one output without sigmoid, labels or threshold; use predict"
        )
    return False
