"""Dense: output = activation(weights input + bias)."""

from ..checks import check_tensors, refuse
from ..weights import check_layout, layout_at

PLACE = "own"


def check(layer):
    check_tensors(layer, 1)
    check_layout(layer, 0, 3)
    x, y = layer.inputs[0], layer.outputs[0]
    if len(x.shape) != 1 or len(y.shape) != 1:
        refuse(layer.where, "flat input and output", "shapes %s and %s" % (x.shape, y.shape))
    try:
        from ..layouts import LAYOUTS as readers
    except ImportError:
        return  # not in firmware: there the native module alone looks through weights
    readers[layout(layer)].check(layer, x.size, y.size)


def run(layer, inputs):
    from ..layouts import LAYOUTS as readers

    reader, (x,) = readers[layout(layer)], inputs
    return [reader.run(layer, reader.rows(layer, len(x), layer.outputs[0].size), x)]


def macs(layer):
    return layer.inputs[0].size * layer.outputs[0].size


def layout(layer):
    return layout_at(layer, 0)
