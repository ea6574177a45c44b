"""How weights are stored, of dense layers and of convolutions (FORMAT.md, "Kind 1, dense")."""

from .checks import check_activation, check_counts, check_limits, refuse

# layout of the weights -> the kernel's name, types of input and output, number of constants
LAYOUTS = {
    1: ("f32", "float32", "float32", 2),
    2: ("s8_quad", "int8", "int8", 3),
    3: ("s4", "int8", "int8", 4),
    4: ("s8_f32", "float32", "float32", 3),
    5: ("s16", "int16", "int16", 3),
    6: ("f32_aligned", "float32", "float32", 3),
}


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
