"""New classes for a network that is there: `Head` learns to tell them by what the layers before the last one say."""

import struct
from array import array

from .checks import expect, known, texts, whole
from .model import Model
from .model_writer import lines, model_file, packed, record, tensor, write_file
from .trainer import Trainer
from .training import line


class Head:
    # Assigned, as firmware keeps no docstrings: there it is what help(head) says.
    __doc__ = """A new last layer: Head(net, ["left", "right"]); then add("left", x), fit(), classify(x), save(path).

    predict, evaluate, confusion: a Trainer's, of what the network takes.
    """

    def __init__(self, net, labels, lr=0.01, batch=8, seed=0):
        """Begin with small random weights in place of the last dense layer of `net`, a Model; one output a label.

        lr, batch and seed are a Trainer's. `net` itself stays as it is, and must not be closed.
        """
        self.labels = labels = texts(labels, "Head: labels")
        are_classes = len(set(labels)) == len(labels) > 1
        expect(are_classes, "Head: labels", "two or more, each another", ", ".join(labels) or "none")
        expect(isinstance(net, Model), "Head", "a network that load gave", type(net).__name__)
        self._base = core = net._core
        at = core.n_layers - 1
        while at and core.layer(at).kind in "activation clip quantize reshape scaling":
            at -= 1  # what stands behind the last dense layer goes with it
        last = core.layer(at)
        is_dense = last.kind == "dense"
        got = "several outputs" if is_dense else last.kind
        expect(is_dense and len(core.outputs) == 1, "Head", "a network that ends in a dense layer", got)
        self._at, self._tensor = at, last.inputs[0]
        n = core.tensor(self._tensor).shape[0]
        self._trainer = Trainer((n, len(labels)), ("softmax",), None, "adam", lr, batch, seed, labels=labels)
        self._x, self._y = array("f"), []

    def add(self, label, x):
        """Keep what the layers before the last one say of x, an example of the class `label`: some numbers.

        MemoryError leaves everything as it was.
        """
        known(label, self.labels, "add: label")
        features = self._features(x)
        expect(sum(features) * 0 == 0, "add", "numbers that the network can work on", "nan or infinity")
        self._y.append(self.labels.index(label))
        try:
            self._x.extend(features)
        except MemoryError:
            self._y.pop()
            raise

    def _features(self, x):
        core = self._base
        core.set_input(x)
        core.run(0, self._at)
        return array("f", core.values(self._tensor))

    def fit(self, epochs=20):
        """Learn from the examples; return the list of each epoch's mean loss. Once more goes on with what is learnt.

        ValueError unless there are examples of two classes.
        """
        n = len(self._y)
        whole(epochs, "fit: epochs")
        got = ("only of " + self.labels[self._y[0]] if n else "none") + ": add them"
        expect(len(set(self._y)) > 1, "fit", "examples of two classes or more", got)
        print("%r: %d examples, %d epochs" % (self._trainer, n, epochs))
        losses = self._trainer._learn(self._x, array("f", self._y), array("H", range(n)), epochs, "Head.fit")
        print(line(losses))
        return losses

    # --- Answers -----------------------------------------------------------------------------------------------------

    def predict(self, x):
        """Return the probability of each class for x, in the order of the labels."""
        return self._trainer.predict(self._features(x))

    def classify(self, x):
        """Return (label, probability) of the class that x most likely is of."""
        return self._trainer.classify(self._features(x))

    def evaluate(self, x, y):
        """Return (accuracy, loss) for a list of examples and the list of their labels."""
        return self._trainer.evaluate(list(map(self._features, x)), y)

    def confusion(self, x, y):
        """Return a Table, a row for each class: how many of it were taken for which."""
        return self._trainer.confusion(list(map(self._features, x)), y)

    # --- The file ----------------------------------------------------------------------------------------------------

    def save(self, path):
        """Write the network with its new last layer to the file `path`, in one step; return the bytes of the file.

        It answers as `predict` does. Feature names stay, samples for a self-test go. MemoryError, and nothing is
        written, unless there is room for the file in RAM, twice.
        """
        core = self._base
        arena_bytes, n_tensors, _, layers_bytes, metadata_bytes = struct.unpack("<5I", core.read(16, 20))
        at = 48 + 32 * n_tensors
        after = at + layers_bytes + metadata_bytes
        # the layers that stay, the last tensor that they know, and how far into the data their constants reach
        source = self._tensor
        records, names, last, data_bytes = [], [], max(core.inputs + (source,)), 0
        for i in range(self._at):
            _, n_bytes, n, n_outputs, n_constants = struct.unpack("<HHBBB", core.read(at, 7))
            made = core.read(at, n_bytes)
            at += n_bytes
            records.append(made)
            names.append(core.line("layer_names", i) or "layer %d" % i)
            n += n_outputs
            last = max(last, *struct.unpack_from("<%dH" % n, made, 12))
            for k in range(n_constants):
                offset, size = struct.unpack_from("<II", made, 12 + (n + 1) // 2 * 4 + 8 * k)
                data_bytes = max(data_bytes, offset + (size + 3) // 4 * 4)
        tensors, data = [], [core.read(after, data_bytes)]
        for i in range(last + 1):
            tensors.append(core.read(48 + 32 * i, 32))

        # the features, as floats, and the outputs: beside each other, as nothing else is needed then
        ((weights, bias),) = self._trainer._layers()
        n_out = 4 * len(bias)
        n_in = len(weights) // len(bias) * 4
        dtype = core.tensor(source).dtype
        begin = struct.unpack_from("<I", tensors[source], 28)[0]
        end = begin + n_in
        if dtype != "float32":
            end = begin + (n_in // (4 if dtype == "int8" else 2) + 3) // 4 * 4
            begin = 0 if n_in <= begin else end
            last += 1
            record(records, 22, source, last, data)
            tensors.append(tensor(n_in, begin))
            names.append("to floats")
            source, end = last, begin + n_in
        begin = 0 if n_out <= begin else end
        tensors += [tensor(n_out, begin), tensor(n_out, begin, 2)]
        record(records, 1, source, last + 1, data, "linear", packed(weights, bias))
        record(records, 2, last + 1, last + 2, data, "softmax")
        metadata = lines(2, self.labels) + lines(8, names + ["head", "softmax"])
        for tag, name in ((1, "name"), (3, "feature_names"), (4, "provenance"), (9, "input_names")):
            metadata += lines(tag, [core.text(name) or ""])
        # the arena: as large as it was, or more
        file = model_file(max(arena_bytes, end, begin + n_out), tensors, records, metadata, data)
        write_file(path, file)
        return file
