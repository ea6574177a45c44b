"""Dense: output = activation(weights input + bias)."""

from ..checks import check_activation, check_counts, check_limits, check_tensors, refuse

PLACE = "own"
# layout of the weights -> the kernel's name, types of input and output, number of constants
LAYOUTS = {
    1: ("f32", "float32", "float32", 2),
    2: ("s8_quad", "int8", "int8", 3),
    3: ("s4", "int8", "int8", 4),
    4: ("s8_f32", "float32", "float32", 3),
    5: ("s16", "int16", "int16", 3),
    6: ("f32_aligned", "float32", "float32", 3),
}


def check(layer):
    check_tensors(layer, 1)
    if not layer.parameters or layer.parameters[0] not in LAYOUTS:
        refuse(layer.where, "a layout of %s" % sorted(LAYOUTS), layer.parameters[:1])
    name, x_dtype, y_dtype, n_constants = LAYOUTS[layer.parameters[0]]
    check_counts(layer, n_constants, 3)
    x, y = layer.inputs[0], layer.outputs[0]
    if len(x.shape) != 1 or len(y.shape) != 1:
        refuse(layer.where, "flat input and output", "shapes %s and %s" % (x.shape, y.shape))
    if (x.dtype, y.dtype) != (x_dtype, y_dtype):
        refuse(layer.where, "%s to %s" % (x_dtype, y_dtype), "%s to %s" % (x.dtype, y.dtype))
    check_activation(layer)
    check_limits(layer, 1)
    try:
        from ..layouts import LAYOUTS as readers
    except ImportError:
        return  # not in firmware: there the native module alone looks through weights
    readers[name].check(layer, x.size, y.size)


def run(layer, inputs):
    from ..layouts import LAYOUTS as readers

    return [readers[layout(layer)].run(layer, inputs[0])]


def macs(layer):
    return layer.inputs[0].size * layer.outputs[0].size


def layout(layer):
    return LAYOUTS[layer.parameters[0]][0]
