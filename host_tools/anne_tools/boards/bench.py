"""How fast a model file is on a Pico, measured there: whole predictions and each layer, against what was predicted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from ..conversion.convert import convert
from ..cores.files import layer_names, open_model
from ..errors import ModelError
from ..layers.build import GraphBuilder
from ..network.graph import Graph, Metadata
from ..networks import CLASSES, THRESHOLD, Network, published_networks
from .board_files import script, temporary_file
from .costs import layer_cost
from .device import Device
from .fit import fit

# Emulated or real milliseconds that one kind of measurement may take, and the repetitions it has.
_BUDGET_MS = 200.0
_LEAST, _MOST = 3, 30


@dataclass
class LayerTime:
    """A layer's cycles, measured and predicted; `per_mac` is None for layers without multiplications."""

    name: str
    kernel: str
    shape: str
    macs: int
    cycles: float
    predicted_cycles: float
    per_mac: float | None


@dataclass
class Benchmark:
    """A model on a board: microseconds of one prediction (medians), RAM it takes once loaded, and its layers.

    `predict_us` is with a list of floats in and out, `predict_into_us` with arrays of the model's own types.
    """

    name: str
    dtype: str
    device: str
    file_bytes: int
    ram_bytes: int
    free_bytes: int
    clock_hz: int
    n_repeats: int
    macs: int
    predict_us: float
    predict_into_us: float
    predicted_us: float
    layers: list[LayerTime]

    def to_json(self) -> dict:
        """Return the benchmark as plain data for JSON."""
        return asdict(self)


def bench(device: Device, data: bytes, name: str, budget_ms: float = _BUDGET_MS) -> Benchmark:
    """Measure the model file `data`, called `name`, on a Pico, in three times `budget_ms` of its time.

    ModelError if it does not fit its RAM.
    """
    device.require_anne()
    file = open_model(data)
    verdict = fit(data, "pico")
    if verdict.place != "storage":
        raise ModelError(f"it does not fit the pico's RAM: {verdict.reason or 'only in ROMFS'}")
    n_repeats = int(min(_MOST, max(_LEAST, budget_ms / verdict.elapsed_ms)))
    x, y = file.inputs[0], file.outputs[0]
    names = {
        "n_repeats": n_repeats,
        "x_code": x.letter,
        "x_size": x.size,
        "y_code": y.letter,
        "y_size": y.size,
    }
    with temporary_file(device, data, "model") as path:
        told = json.loads(device.exec(script("bench_model.py", model_path=path, **names), timeout_s=600))
    layers = [
        _layer_time(layer, name, elapsed_us, told["clock_hz"])
        for layer, name, elapsed_us in zip(file.layers, layer_names(file), told.pop("layers_us"), strict=True)
    ]
    return Benchmark(
        name=name,
        dtype=dict(line.split(": ", 1) for line in file.lines("provenance") if ": " in line).get(
            "dtype", x.dtype
        ),
        device=device.name,
        file_bytes=len(data),
        n_repeats=n_repeats,
        macs=sum(layer.macs for layer in layers),
        predicted_us=verdict.elapsed_ms * 1e3,
        layers=layers,
        **told,
    )


def _layer_time(layer, name: str, elapsed_us: float, clock_hz: int) -> LayerTime:
    cycles = elapsed_us * clock_hz / 1e6
    shape = f"{layer.inputs[0].size} -> {layer.outputs[0].size}"
    predicted = layer_cost(layer, name, "rp2040").cycles
    return LayerTime(
        name, layer.kernel, shape, layer.macs, cycles, predicted, cycles / layer.macs if layer.macs else None
    )


# Cycles of a turn of an empty loop in interpreted code while nothing else wants the CPU (emulated Pico, measured).
QUIET_LOOP_CYCLES = 387


def loop_cycles(device: Device) -> float:
    """Return the cycles of a turn of an empty loop on a Pico: QUIET_LOOP_CYCLES, or more where USB interrupts it."""
    return round(float(device.exec(script("empty_loop.py"))), 1)


def why_slower(name: str, cycles: float) -> str:
    """Return in a line why the figures of the board `name` are too high, by its `loop_cycles`; "" if they are not."""
    if cycles < 1.2 * QUIET_LOOP_CYCLES:
        return ""
    return (
        f"{name} was not quiet: its USB, or what else runs there, interrupts what is measured. An empty loop takes "
        f"{cycles:.0f} cycles a turn instead of {QUIET_LOOP_CYCLES}, so small networks and interpreted code look up to "
        f"{cycles / QUIET_LOOP_CYCLES:.1f} times slower than they are; --on emulator measures with quiet USB."
    )


@dataclass
class Way:
    """One way to ask the 8-neuron network for a prediction: microseconds (median), and what it leaves on the heap."""

    way: str
    us: float
    heap_bytes: int
    output: str


WAYS_NETWORK = "iris-8"


def bench_ways(device: Device, n_repeats: int = 15) -> list[Way]:
    """Measure the published 8-neuron network by each way of the API, from plain Python to `predict_into`.

    ModelError if two of them disagree by more than 1e-6: a fast wrong answer is none.
    """
    device.require_anne()
    network = published_networks()[WAYS_NETWORK]
    layers = [[layer.n_out, layer.weights, layer.bias, layer.activation] for layer in network.layers]
    task = json.dumps({"layers": layers, "x": network.inputs[0]})
    with temporary_file(device, convert(_published_graph(network)).data, "model") as path:
        names = {"task": task, "model_path": path, "n_repeats": n_repeats}
        told = json.loads(device.exec(script("bench_ways.py", **names), timeout_s=120))
    ways = [Way(**way) for way in told]
    outputs = [float(way.output) for way in ways]
    if max(outputs) - min(outputs) > 1e-6:
        raise ModelError(f"the ways to run {WAYS_NETWORK} disagree: {', '.join(way.output for way in ways)}")
    return ways


@dataclass
class PastedWeights:
    """A network as numbers in a program and as a model file: milliseconds until it can be used."""

    numbers: int
    program_bytes: int
    program_ms: float
    load_ms: float


# Inputs and outputs of dense layers with 100, 200 and 400 numbers. 800 would take the emulator two minutes.
PASTED_SHAPES = ((9, 10), (19, 10), (19, 20))


def bench_pasted(device: Device) -> list[PastedWeights]:
    """Measure what it costs to paste weights into a program, as AI-ANNE's own have them: MicroPython compiles a list of
    different numbers in a time that grows with the square of their count."""
    device.require_anne()
    measured = []
    for n_in, n_out in PASTED_SHAPES:
        graph = _random_graph((n_in, n_out))
        (layer,) = graph.layers
        text = _pasted(layer.weights, layer.bias).encode()
        with (
            temporary_file(device, text, "program") as program_path,
            temporary_file(device, convert(graph).data, "model") as model_path,
        ):
            names = {"program_path": program_path, "model_path": model_path}
            told = json.loads(device.exec(script("bench_program.py", **names)))
        measured.append(PastedWeights(n_in * n_out + n_out, len(text), **told))
    return measured


def _pasted(weights: np.ndarray, bias: np.ndarray) -> str:
    """Return weights (n_out, n_in) and bias as a program with as many digits as AI-ANNE prints."""
    rows = ",\n".join("[" + ", ".join(f"{w:.8f}" for w in row) + "]" for row in weights)
    return f"ANNE_WEIGHTS = [{rows}]\nANNE_BIAS = [{', '.join(f'{b:.8f}' for b in bias)}]\n"


# A kernel's name in records, without the details of its layout.
_KERNELS = {"s8_quad": "dense_s8", "f32_aligned": "dense_f32", "f32": "dense_f32_unprepared"}


def kernel_of(layout: str) -> dict[str, str]:
    """Return the keys of a record that name a kernel: "dense_s8" and so on, and the layout of its weights."""
    return {"kernel": _KERNELS.get(layout, f"dense_{layout}"), "layout": layout}


def records(results: list[Benchmark], ways: list[Way]) -> list[dict]:
    """Return flat records for scripts: one a layer with multiplications, one a model, one a way."""
    flat: list[dict] = []
    for result in results:
        for layer in result.layers:
            if layer.per_mac is not None:
                shape = [int(n) for n in layer.shape.split(" -> ")]
                figures = {"cycles": layer.cycles, "cycles_per_mac": layer.per_mac, "peer": None}
                flat.append({**kernel_of(layer.kernel), "shape": shape, **figures})
        flat.append(
            {"model": result.name, "ms": result.predict_into_us / 1e3, "arena_bytes": result.ram_bytes}
        )
    for way in ways:
        flat.append({"model": WAYS_NETWORK, "way": way.way, "ms": way.us / 1e3, "heap_bytes": way.heap_bytes})
    return flat


# --- Standard models ------------------------------------------------------------------------------------------------

DTYPES = ("float32", "int8-weights", "int16", "int8")


def standard_models() -> dict[str, bytes]:
    """Return the published networks, and made-up models (seed 1) that show each kernel, by name."""
    models = {name: convert(_published_graph(network)).data for name, network in published_networks().items()}
    for dtype in DTYPES:
        # 640 x 128 fits the Pico's RAM with weights of a byte only
        for shape in ((4, 8, 3), (16, 16), (64, 64), (128, 128)) + (((640, 128),) if dtype == "int8" else ()):
            graph = _random_graph(shape)
            x = np.random.default_rng(1).normal(0, 1, (32, shape[0]))
            models[f"{'-'.join(map(str, shape))} {dtype}"] = convert(graph, dtype, calibrate=x).data
    return models


def _published_graph(network: Network) -> Graph:
    builder = GraphBuilder((network.layers[0].n_in,))
    for index, layer in enumerate(network.layers):
        builder.dense(f"dense_{index}", layer.weights, layer.bias, layer.activation)
    return builder.build(Metadata(name=network.name, labels=list(CLASSES), threshold=THRESHOLD))


def _random_graph(shape: tuple[int, ...]) -> Graph:
    """Dense layers with relu, softmax at the end of those with several."""
    random = np.random.default_rng(1)
    builder = GraphBuilder((shape[0],))
    for index, (n_in, n_out) in enumerate(zip(shape, shape[1:], strict=False)):
        last = index == len(shape) - 2
        weights = random.normal(0, n_in**-0.5, (n_out, n_in))
        builder.dense(f"dense_{index}", weights, random.normal(0, 0.1, n_out), "linear" if last else "relu")
    if len(shape) > 2:
        builder.activation("softmax", "softmax")
    return builder.build(Metadata(name="-".join(map(str, shape))))
