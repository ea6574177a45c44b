"""Conv: output = activation(weights times what a window sees at every place of the image, + bias)."""

from ..checks import check_tensors, refuse
from ..weights import check_layout, layout_at
from ..windows import PARAMETERS, check_window, size_of

PLACE = "own"
# words of parameters: those of the window, groups of channels, the layout of the weights, limits of an integer result
_GROUPS, _LAYOUT = PARAMETERS, PARAMETERS + 1


def check(layer):
    check_tensors(layer, 1)
    check_layout(layer, _LAYOUT, PARAMETERS + 4)
    channels, n_out, groups = layer.inputs[0].shape[-1], layer.outputs[0].shape[-1], layer.parameters[_GROUPS]
    if groups < 1 or channels % groups or n_out % groups:
        refuse(layer.where, "groups that divide %d and %d channels" % (channels, n_out), groups)
    check_window(layer, channels // groups * n_out)
    try:
        from ..layouts import LAYOUTS as readers
    except ImportError:
        return  # not in firmware: there the native module alone looks through weights
    n_in = layer.parameters[0] * layer.parameters[1] * (channels // groups)
    for constant in layer.constants[:3]:
        if len(constant) % groups:
            refuse(layer.where, "constants of %d equal parts" % groups, "%d bytes" % len(constant))
    for group in _groups(layer, groups):
        readers[layout(layer)].check(group, n_in, n_out // groups)


class _Group:
    # a layer as a layout reads it, with the constants of one group of its output's channels

    def __init__(self, layer, constants):
        self.where, self.constants, self.parameters = layer.where, constants, layer.parameters
        self.inputs, self.outputs = layer.inputs, layer.outputs
        self.activation, self.alpha = layer.activation, layer.alpha


def _groups(layer, n):
    # the fourth constant, of s4, is one number for all
    parts = [len(constant) // n for constant in layer.constants[:3]]
    return [
        _Group(
            layer,
            [layer.constants[k][i * parts[k] : (i + 1) * parts[k]] for k in range(len(parts))]
            + list(layer.constants[3:]),
        )
        for i in range(n)
    ]


def run(layer, inputs):
    from ..layouts import LAYOUTS as readers

    reader, n_groups = readers[layout(layer)], layer.parameters[_GROUPS]
    n_in = layer.parameters[0] * layer.parameters[1] * (layer.inputs[0].shape[-1] // n_groups)
    n_out = layer.outputs[0].shape[-1] // n_groups
    groups = _groups(layer, n_groups)
    rows = [reader.rows(group, n_in, n_out) for group in groups]
    y = []
    made = size_of(layer.outputs[0])
    for i in range(made[0] * made[1]):
        for k in range(n_groups):
            y += reader.run(groups[k], rows[k], _seen(layer, inputs[0], i // made[1], i % made[1], k))
    return [y]


def _seen(layer, x, row, column, group):
    # what the window of that pixel sees, tap after tap; outside of the image what stands for 0
    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, n_groups = (
        layer.parameters[: PARAMETERS + 1]
    )
    height, width, channels = size_of(layer.inputs[0])
    n = channels // n_groups
    outside = [layer.inputs[0].zero_point] * n
    seen = []
    for i in range(kernel_h):
        for j in range(kernel_w):
            r, c = row * stride_h - pad_top + i * dilation_h, column * stride_w - pad_left + j * dilation_w
            at = (r * width + c) * channels + group * n
            inside = 0 <= r < height and 0 <= c < width
            seen += x[at : at + n] if inside else outside
    return seen


def macs(layer):
    made = size_of(layer.outputs[0])
    taps = made[0] * made[1] * layer.parameters[0] * layer.parameters[1]
    return taps * made[2] * (layer.inputs[0].shape[-1] // layer.parameters[_GROUPS])


def layout(layer):
    return layout_at(layer, _LAYOUT)
