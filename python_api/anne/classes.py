"""Which class a network's outputs stand for: the one rule of `Model.classify`, and of what the host tools tell."""

# Activations whose single output is the probability of class 1.
PROBABILITIES = ("sigmoid", "hard_sigmoid", "softmax")


def class_of(y, threshold=None, what="classify"):
    """Return the number of the class for y, a list of outputs: the largest one's, the first's of equal ones.

    A single output says 1 above `threshold` (None: 0.5), and 0 at it and below, as scikit-learn decides.
    ValueError, which begins with `what`, if an output is NaN.
    """
    total = sum(y)  # quicker than a look at each: NaN if one is, or if infinities cancel
    if total != total:
        _refuse_nan(y, what)
    if len(y) == 1:
        return 1 if y[0] > (0.5 if threshold is None else threshold) else 0
    return y.index(max(y))


def _refuse_nan(y, what):
    for i in range(len(y)):
        if y[i] != y[i]:
            raise ValueError(
                "%s: output %d is NaN, neither more nor less than any number: no class" % (what, i)
            )


def is_probability(core):
    """Tell whether the one output of a core's model is the probability of class 1.

    ValueError if it is a number like any other: no probability, and the file names neither labels nor a threshold.
    """
    tensor = core.outputs[0]
    for index in reversed(range(core.n_layers)):
        layer = core.layer(index)
        if tensor in layer.outputs:
            if layer.kind == "reshape":
                tensor = layer.inputs[0]
            elif layer.activation in PROBABILITIES:
                return True
            else:
                break
    if core.line("labels", 0) is None and core.threshold() is None:
        raise ValueError(
            "classify: expected a classifier, got one output without sigmoid, labels or threshold; use predict"
        )
    return False
