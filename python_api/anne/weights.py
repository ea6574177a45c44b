"""How weights are stored, of dense layers and of convolutions (FORMAT.md, "Kind 1, dense")."""

from .checks import check_activation, check_bytes, check_counts, check_floats, check_limits, refuse

# layout of the weights -> the kernel's name, types of input and output, number of constants
LAYOUTS = {
    1: ("f32", "float32", "float32", 2),
    2: ("s8_quad", "int8", "int8", 3),
    3: ("s4", "int8", "int8", 4),
    4: ("s8_f32", "float32", "float32", 3),
    5: ("s16", "int16", "int16", 3),
    6: ("f32_aligned", "float32", "float32", 3),
}
# The most weights of an int8 output that stand as they are: then a sum with its bias stays within 2^30.
_MAX_PLAIN = 16383


def check_layout(layer, at, n_parameters):
    """ValueError unless parameter `at` is a layout that the layer's types and number of constants fit.

    `n_parameters` is how many the layer has; behind the layout stand the limits of the result, which fit, too.
    """
    number = layer.parameters[at : at + 1]
    if not number or number[0] not in LAYOUTS:
        refuse(layer.where, "a layout of %s" % sorted(LAYOUTS), number)
    _, x_dtype, y_dtype, n_constants = LAYOUTS[number[0]]
    check_counts(layer, n_constants, n_parameters)
    x, y = layer.inputs[0], layer.outputs[0]
    if (x.dtype, y.dtype) != (x_dtype, y_dtype):
        refuse(layer.where, "%s to %s" % (x_dtype, y_dtype), "%s to %s" % (x.dtype, y.dtype))
    check_activation(layer)
    check_limits(layer, at + 1)


def layout_at(layer, at):
    """Return the name of the layout that parameter `at` is."""
    return LAYOUTS[layer.parameters[at]][0]


def plain_constants(layer):
    """Return how many constants a layer has whose weights stand as they are: 2 of floats that have float weights."""
    return 2 if layer.inputs[0].dtype == "float32" and len(layer.constants) == 2 else 3


def check_plain(layer, parts, n_out, n_in):
    """ValueError unless the constants are those of weights that stand as they are, `parts` times n_out rows of n_in.

    They are weights and bias; then of integers the factors, of int8 weights on floats their scales.
    """
    dtype, n = layer.inputs[0].dtype, parts * n_out * n_in
    if len(layer.constants) == 2:
        check_floats(layer, 0, n, "weights")
    else:
        check_bytes(layer, 0, n * (2 if dtype == "int16" else 1), "weights")
    if dtype == "float32":
        check_floats(layer, 1, n_out, "bias")
        if len(layer.constants) == 3:
            check_floats(layer, 2, n_out, "scales")
        return
    if dtype == "int8" and parts * n_in > _MAX_PLAIN:
        refuse(layer.where, "at most %d weights for an output" % _MAX_PLAIN, parts * n_in)
    try:
        from .layouts.rows import check_plain_rows
    except ImportError:
        return  # not in firmware: there the native module alone looks through them
    check_plain_rows(layer, parts, n_out, n_in)
