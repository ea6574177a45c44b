"""How the windows of convolutions and pools lie (FORMAT.md, "Windows")."""

from .checks import check_activation, check_counts, check_limits, check_tensors, refuse, same_values

# words of parameters with which the record of such a layer begins: of rows and columns each the kernel's size, the
# stride, the dilation; then the rows of padding above and the columns to the left
PARAMETERS = 8
# those of a pool: the limits of its result behind them
POOL_PARAMETERS = PARAMETERS + 2
# The most multiplications, or taps of a pool, that one layer may take.
MAX_STEPS = 1 << 28
_MAX_SIDE = 1 << 15
_MAX_REACH = 1 << 20


def size_of(tensor):
    """Return (rows, columns, channels) of an image; a signal (time, channels) is an image of one row."""
    shape = tensor.shape
    return shape if len(shape) == 3 else (1,) + shape


def axes_of(layer):
    """Return (size, output's size, kernel, stride, dilation, pad) of the rows and of the columns."""
    sizes, made, p = size_of(layer.inputs[0]), size_of(layer.outputs[0]), layer.parameters
    return [(sizes[i], made[i], p[i], p[2 + i], p[4 + i], p[6 + i]) for i in range(2)]


def check_window_words(layer):
    """ValueError unless input and output are both images, or both signals, and the window's words in their ranges."""
    x, y = layer.inputs[0], layer.outputs[0]
    if len(x.shape) not in (2, 3) or len(x.shape) != len(y.shape):
        wanted = "images (rows, columns, channels) or signals (time, channels)"
        refuse(layer.where, wanted, "%s and %s" % (x.shape, y.shape))
    for i in range(PARAMETERS):
        least = 1 if i < 6 else 0
        if not least <= layer.parameters[i] <= _MAX_SIDE:
            refuse(layer.where, "window parameters of %d to %d" % (least, _MAX_SIDE), layer.parameters[i])


def check_window(layer, per_tap):
    """ValueError unless the window lies as FORMAT.md says, and takes few enough steps, `per_tap` for each of its taps.

    The layer has one input, one output, and at least PARAMETERS parameters.
    """
    check_window_words(layer)
    steps = per_tap
    for size, made, kernel, stride, dilation, pad in axes_of(layer):
        reach = (kernel - 1) * dilation
        if reach >= _MAX_REACH or pad > reach or (made - 1) * stride - pad >= size:
            got = "%d positions, kernel %d, stride %d, dilation %d, padding %d" % (
                made,
                kernel,
                stride,
                dilation,
                pad,
            )
            refuse(layer.where, "windows that begin in %d elements or their padding" % size, got)
        steps *= made * kernel
    if steps > MAX_STEPS:
        refuse(layer.where, "at most %d steps" % MAX_STEPS, steps)


def check_pool(layer, n_parameters):
    """ValueError unless the layer is a pool with that many parameters, each of whose windows sees a pixel."""
    check_tensors(layer, 1)
    check_counts(layer, 0, n_parameters)
    x, y = layer.inputs[0], layer.outputs[0]
    if not same_values(x, y):
        refuse(layer.where, "an output of the same type and scale", "%s %s" % (y.dtype, y.shape))
    check_window(layer, x.shape[-1])
    if y.shape[-1] != x.shape[-1]:
        refuse(layer.where, "%d channels" % x.shape[-1], y.shape[-1])
    for size, _, _, _, dilation, pad in axes_of(layer):
        if pad > 0 and dilation > size:
            refuse(layer.where, "a dilation of 1 to %d where there is padding" % size, dilation)
    check_activation(layer)
    check_limits(layer, PARAMETERS)
