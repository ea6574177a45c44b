"""Lives and places of tensors: FORMAT.md, "Tensors".

What a layer leaves in the same place (a reshape) is its input under another shape. Both are one storage, that of its
first tensor, its root; it is needed as long as any of them is.

No storage is written where one lies that is still needed. Layer after layer, those alive are kept in the order of their
places; as they do not overlap, a new one can overlap only the two that it comes between.
"""

from .checks import refuse

FOREVER = 0x7FFF  # no layer's number


class Lives:
    """How long the tensors of a file are needed, and whether they have places. Layers count from 1 here."""

    def __init__(self, tensors):
        self._tensors = tensors
        self._roots = [tensor if tensor.is_input else None for tensor in tensors]  # None before it is made
        # the last layer that needs the storage of a root; the inputs of the network are there before the first
        self._needed = [FOREVER if tensor.is_input and tensor.is_output else 0 for tensor in tensors]

    def note(self, layer):
        """Note what the next layer reads and makes; ValueError if that is not there, or is there already."""
        for tensor in layer.inputs:
            if self._roots[tensor.index] is None:
                refuse(layer.where, "inputs that are computed before it", "tensor %d" % tensor.index)
            self._need(tensor, layer.index + 1)
        for tensor in layer.outputs:
            if self._roots[tensor.index] is not None:
                refuse(layer.where, "outputs that nothing else computes", "tensor %d" % tensor.index)
            is_same = layer.room.PLACE == "same"
            self._roots[tensor.index] = self._roots[layer.inputs[0].index] if is_same else tensor
            self._need(tensor, FOREVER if tensor.is_output else layer.index + 1)

    def _need(self, tensor, layer):
        root = self._roots[tensor.index].index
        self._needed[root] = max(self._needed[root], layer)

    def check(self, layers):
        """ValueError unless all tensors are made, and have places that FORMAT.md allows."""
        for tensor in self._tensors:
            if self._roots[tensor.index] is None:
                refuse("tensor %d" % tensor.index, "a layer that computes it", "none")
        alive = []
        inputs = [tensor for tensor in self._tensors if tensor.is_input]
        for tensor in inputs:
            _begin(alive, tensor)
        self._end(alive, inputs, 0)  # those that no layer reads
        for layer in layers:
            self._check_layer(alive, layer)

    def _check_layer(self, alive, layer):
        place, number = layer.room.PLACE, layer.index + 1
        if place == "in place":
            # an input as large may turn into the output where it lies, if nothing needs it afterwards
            y = layer.outputs[0]
            like = [x for x in layer.inputs if x.arena_offset == y.arena_offset and x.nbytes == y.nbytes]
            self._end(alive, like, number)
        if place != "same":
            for tensor in layer.outputs:
                _begin(alive, tensor)
        self._end(alive, layer.inputs + layer.outputs, number)

    def _end(self, alive, tensors, layer):
        # the lives of their storages, if that layer is the last to need them and they have not ended yet
        for tensor in tensors:
            root = self._roots[tensor.index]
            if self._needed[root.index] == layer:
                self._needed[root.index] = None
                del alive[_place(alive, root)]


def _begin(alive, tensor):
    place = _place(alive, tensor)
    for other in alive[max(place - 1, 0) : place + 1]:
        if tensor.overlaps(other):
            where, got = "tensor %d" % tensor.index, "bytes of tensor %d" % other.index
            refuse(where, "a place of its own in the arena", got)
    alive.insert(place, tensor)


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
