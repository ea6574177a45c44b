"""Looking inside a network: what `trace`, `profile`, `selftest` and `print` of a Model show, and their Table."""

import io
import math
import sys
from array import array

from .texts import harmless

_LETTERS = {"float32": "f", "int8": "b", "int16": "h"}  # of arrays that hold a type's values
_ITEM_BYTES = {"float32": 4, "int8": 1, "int16": 2}


def _layers(core):
    # name and facts of each layer, one at a time
    for index in range(core.n_layers):
        name = core.line("layer_names", index)
        yield index, name or "layer %d" % index, core.layer(index)


def trace(net, x):
    """Return what Model.trace does."""
    core = net._core
    core.set_input(x)
    inputs = core.inputs
    rows = [(core.port_name("input", i), core.values(inputs[i])) for i in range(len(inputs))]
    for index, name, layer in _layers(core):
        # read at once: a later layer may use the same memory
        core.run(index, index + 1)
        for i in range(len(layer.outputs)):
            row = name if len(layer.outputs) == 1 else "%s %d" % (name, i)
            rows.append((row, core.values(layer.outputs[i])))
    return Table(("layer", "values"), rows)


def profile(net, x, repeat):
    """Return what Model.profile does."""
    if repeat < 1:
        raise ValueError("profile: repeat: expected at least 1, got %d" % repeat)
    core = net._core
    core.set_input(x)
    rows, macs = [], 0
    for index, name, layer in _layers(core):
        elapsed_us = core.layer_us(index, repeat) / repeat
        rows.append((name, elapsed_us, _cycles_per_mac(elapsed_us, layer.macs)))
        macs += layer.macs
    core.reset()
    total_us = sum(row[1] for row in rows)
    rows.append(("all layers", total_us, _cycles_per_mac(total_us, macs)))
    return Table(("layer", "us", "cycles/MAC"), rows)


def _cycles_per_mac(elapsed_us, macs):
    if not macs or sys.platform != "rp2":
        return None
    import machine

    return elapsed_us * (machine.freq() / 1000000) / macs


# --- Golden samples --------------------------------------------------------------------------------------------------


def selftest(net):
    """Return what Model.selftest does."""
    net._core.reset()
    try:
        n = _run_golden(net)
    finally:
        net._core.reset()
    if n == 0:
        raise ValueError("selftest: the file has no golden samples")
    return n


def _run_golden(net):
    core, n = net._core, 0
    while True:
        sample = core.golden(n)
        if sample is None:
            return n
        x, y = sample
        out = bytearray(len(y))
        core.run_raw(x, out)
        _check_sample(net.outputs, n, y, out)
        n += 1


def _check_sample(ports, n, y, out):
    # the bytes of all outputs that sample n must give, and gave
    at = 0
    for port in ports:
        letter, end = _LETTERS[port.dtype], at + _n_bytes(port)
        expected, got = list(array(letter, y[at:end])), list(array(letter, out[at:end]))
        at = end
        if not _agree(expected, got, 1e-5 if letter == "f" else 0):
            name = harmless(port.name) + ": " if len(ports) > 1 else ""
            raise ValueError("selftest: sample %d: %sexpected %s, got %s" % (n, name, expected, got))


def _agree(expected, got, relative):
    # whether values differ by at most `relative` of the largest finite one expected; what is not finite must be equal
    bound = relative * max([abs(v) for v in expected if -math.inf < v < math.inf] or [0])
    return all(e == g or abs(e - g) <= bound or (e != e and g != g) for e, g in zip(expected, got))


def _n_bytes(port):
    n_bytes = _ITEM_BYTES[port.dtype]
    for n in port.shape:
        n_bytes *= n
    return n_bytes


# --- Text ------------------------------------------------------------------------------------------------------------


def text(net, native):
    """Return what print(net) shows: the file, then a table of its layers."""
    core = net._core
    place = "copied to RAM" if net.copied else "used where it lies"
    how = "native" if native else "plain Python"
    head = "%s: %d bytes, %s; %s" % (harmless(net.name), net.nbytes, place, how)
    if len(core.inputs) > 1 or len(core.outputs) > 1:
        head += "\n%s -> %s" % (_ports_text(net.inputs), _ports_text(net.outputs))
    columns = ("layer", "kind", "activation", "shape", "kernel", "bytes", "MACs")
    return head + "\n" + _table_text(columns, lambda: _rows(core))


def _rows(core):
    n_bytes, macs = 0, 0
    for _, name, layer in _layers(core):
        shape = "%s -> %s" % (_shapes(core, layer.inputs), _shapes(core, layer.outputs))
        kernel = layer.layout or core.tensor(layer.inputs[0]).dtype
        yield name, layer.kind, layer.activation, shape, kernel, layer.nbytes, layer.macs
        n_bytes += layer.nbytes
        macs += layer.macs
    yield "all", "", "", "", "", n_bytes, macs


def _shapes(core, tensors):
    return ", ".join([_shape(core.tensor(index)) for index in tensors])


def _shape(tensor):
    return "x".join([str(n) for n in tensor.shape])


def _ports_text(ports):
    return ", ".join(["%s (%s %s)" % (harmless(port.name), _shape(port), port.dtype) for port in ports])


class Table:
    """Rows of values under column names; prints as a table. `rows` is a list of tuples."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def __repr__(self):
        return _table_text(self.columns, self.__iter__)


def _table_text(columns, rows):
    # `rows` gives an iterator, twice; what it makes is not kept: so a long table finds room for its text in one piece
    widths = [len(name) for name in columns]
    for row in rows():
        for i, value in enumerate(row):
            widths[i] = max(widths[i], len(_cell(value)))
    text = io.StringIO()
    text.write(_line(columns, widths))
    for row in rows():
        text.write("\n" + _line(row, widths))
    return text.getvalue()


def _line(row, widths):
    cells = [_cell(value) for value in row]
    return "  ".join(cell + " " * (width - len(cell)) for cell, width in zip(cells, widths)).rstrip()


def _cell(value):
    if isinstance(value, list):
        return " ".join("%.4g" % v for v in value)
    return "%.1f" % value if isinstance(value, float) else "" if value is None else harmless(str(value))
