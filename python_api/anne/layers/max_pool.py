"""Max pool: the greatest of what a window sees, channel by channel."""

from ..windows import POOL_PARAMETERS, check_pool

PLACE = "own"


def check(layer):
    check_pool(layer, POOL_PARAMETERS)


def run(layer, inputs):
    from ..arithmetic import activated, greatest, limited, windows

    (x,) = inputs
    channels = layer.inputs[0].shape[-1]
    y = [greatest([x[i + c] for i in inside]) for inside, _ in windows(layer) for c in range(channels)]
    return [activated(layer, y) if layer.inputs[0].letter == "f" else limited(layer, y, POOL_PARAMETERS - 2)]


def steps(layer):
    from ..taps import number_of_taps

    return number_of_taps(layer) * layer.inputs[0].shape[-1]
