"""Whole models, called from MicroPython with arrays in and out, and what else could run them."""

from __future__ import annotations

from typing import Any

import numpy as np
from anne_tools.boards.fit import workspace_bytes
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.cores.native import NativeModel
from anne_tools.cores.numbers import quantize_input
from anne_tools.layers.build import GraphBuilder
from anne_tools.networks import Network, published_networks
from cases import OWN_BOUND, PEER_BOUND, Bench, Case, model_record

SEED = 1
AUTOENCODER = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640)
SMALL_NET = "iris-8"


def autoencoder() -> tuple[bytes, np.ndarray]:
    """Return a network of the shape of MLPerf Tiny's autoencoder in int8, with random weights, and an input."""
    random = np.random.default_rng(SEED)
    builder = GraphBuilder((AUTOENCODER[0],))
    for i, (n_in, n_out) in enumerate(zip(AUTOENCODER, AUTOENCODER[1:], strict=False)):
        activation = "linear" if i == len(AUTOENCODER) - 2 else "relu"
        weights = random.normal(0, (2 / n_in) ** 0.5, (n_out, n_in))
        builder.dense(f"dense_{i}", weights, random.normal(0, 0.1, n_out), activation)
    samples = random.normal(0, 1, (16, AUTOENCODER[0])).astype(np.float32)
    # without passes, so that integers go in and come out
    data = pack(quantize(builder.build(), "int8", samples))
    return data, quantize_input(samples[:1], open_model(data).inputs[0])


def net_values(network: Network, transposed: bool) -> np.ndarray:
    """Return weights and bias of each layer in one array; emlearn has weights by inputs."""
    parts = []
    for layer in network.layers:
        weights = np.array(layer.weights, np.float32)
        parts += [np.ravel(weights.T if transposed else weights), np.array(layer.bias, np.float32)]
    return np.concatenate(parts)


def measure_autoencoder(bench: Bench) -> dict[str, Any]:
    """Return the record of the autoencoder, whose weights are too large for RAM."""
    data, x = autoencoder()
    expected = run_local(data, x, "host")[0]
    case = Case("autoencoder", "model", [("", np.frombuffer(data, np.uint8)), ("b", x)], expected, repeats=3)
    name = "MLPerf Tiny autoencoder (its shape, random weights), int8"
    with NativeModel(data) as model:
        arena = workspace_bytes(model, "rp2040")
    return model_record(name, None, bench.cycles(case), arena, bench.flash_cycles(case))


def measure_small_net(bench: Bench) -> list[dict[str, Any]]:
    """Return the records of the published network, each called from MicroPython with arrays in and out."""
    network = published_networks()[SMALL_NET]
    x = np.array(network.inputs[0], np.float32)
    shape = [network.layers[0].n_in, *(layer.n_out for layer in network.layers)]
    activations = [layer.activation for layer in network.layers]
    bench.device.exec(f"NET = ({shape!r}, {activations!r})")
    name = "-".join(map(str, shape))
    builder = GraphBuilder((shape[0],))
    for i, layer in enumerate(network.layers):
        builder.dense(f"dense_{i}", layer.weights, layer.bias, layer.activation)
    records = []
    for dtype in ("float32", "int8"):
        data = convert(builder.build(), dtype, calibrate=np.array(network.inputs)).data
        inputs = quantize_input(x[None], open_model(data).inputs[0])
        expected = run_local(data, inputs, "host")[0]
        arguments = [("", np.frombuffer(data, np.uint8)), (inputs.dtype.char, inputs)]
        case = Case(f"{name} {dtype}", "model", arguments, expected, OWN_BOUND if dtype == "float32" else 0.0)
        cycles, flash_cycles = bench.cycles(case), bench.flash_cycles(case)
        with NativeModel(data) as model:
            arena = workspace_bytes(model, "rp2040")
        records.append(model_record(f"{name} {dtype}", None, cycles, arena, flash_cycles))
        if dtype == "float32":
            right = expected
    for peer, function in (("emlearn eml_net", "eml_net"), ("pure Python (reference.py)", "reference_net")):
        values = net_values(network, transposed=function == "eml_net")
        case = Case(f"{name} by {peer}", function, [("f", values), ("f", x)], right, PEER_BOUND)
        records.append(model_record(f"{name} float32", peer, bench.cycles(case), None))
    return records
