"""Where tensors lie in the arena: FORMAT.md, "Tensors".

No tensor is written where one lies that is still needed. Layer after layer, those alive are kept in the order of their
places; as they do not overlap, a new one can overlap only the two that it comes between.
"""

from .checks import refuse


def check_places(inputs, layers, needed):
    """ValueError unless all tensors have places that FORMAT.md allows.

    `inputs` are the network's; needed[tensor.index] is the last layer that needs a tensor; layers count from 1.
    """
    alive = list(inputs)  # which the first layer reads, as nothing else is there
    for layer in layers:
        x, y = layer.inputs[0], layer.outputs[0]
        is_last = needed[x.index] == layer.index + 1
        # a layer may turn its input into its output where it lies, if nothing needs the input afterwards
        in_place = layer.room.PLACE != "own" and x.arena_offset == y.arena_offset
        if is_last and in_place:
            del alive[_place(alive, x)]
        place = _place(alive, y)
        for other in alive[max(place - 1, 0) : place + 1]:
            if y.overlaps(other):
                where, got = "tensor %d" % y.index, "bytes of tensor %d" % other.index
                refuse(where, "a place of its own in the arena", got)
        if is_last and not in_place:
            del alive[_place(alive, x)]
        if needed[y.index] > layer.index + 1:
            alive.insert(_place(alive, y), y)


def _place(alive, tensor):
    # how many of them, in the order of their places, begin before the tensor does
    low, high = 0, len(alive)
    while low < high:
        middle = (low + high) // 2
        if alive[middle].arena_offset < tensor.arena_offset:
            low = middle + 1
        else:
            high = middle
    return low
