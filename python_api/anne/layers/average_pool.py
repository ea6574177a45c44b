"""Average pool: the mean of what a window sees, channel by channel."""

from ..checks import refuse
from ..windows import POOL_PARAMETERS, check_pool

PLACE = "own"
# parameters behind those of all pools: whether padding counts, how many rows of it below, columns to the right
_PARAMETERS = POOL_PARAMETERS + 3
_MAX_TAPS = 1 << 15


def check(layer):
    check_pool(layer, _PARAMETERS)
    counts, bottom, right = layer.parameters[POOL_PARAMETERS:]
    most = _MAX_TAPS if counts == 1 else 0
    if not 0 <= counts <= 1 or not 0 <= bottom <= most or not 0 <= right <= most:
        wanted = "0, or 1 and padding of 0 to %d that counts" % _MAX_TAPS
        refuse(layer.where, wanted, "%d, %d and %d" % (counts, bottom, right))
    if layer.parameters[0] * layer.parameters[1] > _MAX_TAPS:
        refuse(layer.where, "at most %d taps" % _MAX_TAPS, "%d by %d" % layer.parameters[:2])


def run(layer, inputs):
    from ..arithmetic import activated, float32, limited, nearest_quotient, normal, windows

    (x,) = inputs
    tensor = layer.inputs[0]
    counts, bottom, right = layer.parameters[POOL_PARAMETERS:]
    y = []
    for inside, n in windows(layer, (bottom, right) if counts else None):
        for c in range(tensor.shape[-1]):
            taps = [x[i + c] for i in inside]
            if tensor.letter == "f":
                y.append(normal(float32(sum([normal(v) for v in taps]) / n)))
            else:
                y.append(nearest_quotient(sum(taps) + (n - len(taps)) * tensor.zero_point, n))
    return [activated(layer, y) if tensor.letter == "f" else limited(layer, y, POOL_PARAMETERS - 2)]


def steps(layer):
    from ..taps import number_of_taps

    return number_of_taps(layer) * layer.inputs[0].shape[-1]
