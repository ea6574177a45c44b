"""Delay: the last frames of a stream, those of calls before and the new ones behind them."""

from ..checks import check_counts, check_tensors, refuse, same_values

PLACE = "own"
# what is kept between two calls, at most
MAX_STATE_BYTES = 1 << 18


def check(layer):
    check_tensors(layer, 1)
    check_counts(layer, 0, 0)
    x, y = layer.inputs[0], layer.outputs[0]
    if (
        not same_values(x, y)
        or len(x.shape) != len(y.shape)
        or x.shape[1:] != y.shape[1:]
        or x.shape[0] > y.shape[0]
    ):
        wanted = "an output of the same type and scale, and as many frames or more"
        refuse(layer.where, wanted, "%s %s for %s" % (y.dtype, y.shape, x.shape))
    if y.nbytes - x.nbytes > MAX_STATE_BYTES:
        refuse(layer.where, "at most %d bytes between two calls" % MAX_STATE_BYTES, y.nbytes - x.nbytes)


def run(layer, inputs):
    (x,) = inputs
    tensor = layer.inputs[0]
    zero = 0.0 if tensor.letter == "f" else tensor.zero_point
    kept = [zero] * (layer.outputs[0].size - tensor.size) if layer.state is None else layer.state
    y = kept + list(x)
    layer.state = y[len(x) :]
    return [y]
