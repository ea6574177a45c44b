"""How fast a model file is on a Pico, measured there: whole predictions and each layer, against what was predicted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..cores.files import layer_names, open_model
from ..errors import ModelError
from ..networks import published_networks
from .board_files import file_in_romfs, has_romfs, loadable_file, script, temporary_file
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

    `predict_us` is with a list of floats in and out, `predict_into_us` with arrays of the model's own types, and
    `first_us` the same with nothing in the flash cache. These have the weights in RAM; `flash_us` and `flash_first_us`
    are `predict_into` with weights in flash. None is what was not measured: `flash` says what flash costs there
    (`Device.flash`), and without a cache there is nothing to tell.
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
    first_us: float | None
    flash_us: float | None
    flash_first_us: float | None
    flash: str
    predicted_us: float
    predicted_flash_us: float
    layers: list[LayerTime]

    def to_json(self) -> dict:
        """Return the benchmark as plain data for JSON."""
        return asdict(self)


def bench(device: Device, data: bytes, name: str, budget_ms: float = _BUDGET_MS) -> Benchmark:
    """Measure the model file `data`, called `name`, on a Pico, in three times `budget_ms` of its time.

    One that is too large for RAM runs from flash where the Pico is emulated. ModelError if it does not fit.
    """
    device.require_anne()
    file = open_model(data)
    emulated = device.kind == "emulator"
    verdict = fit(data, device.machine.layout.board if emulated else "pico")
    if verdict.place != "storage" and not emulated:
        raise ModelError(f"it does not fit the pico's RAM: {verdict.reason or 'only in ROMFS'}")
    n_repeats = int(min(_MOST, max(_LEAST, budget_ms / (verdict.elapsed_ms or budget_ms))))
    names = {
        "flush": device.flash != "no cache",
        "n_repeats": n_repeats,
        "inputs": [(tensor.letter, tensor.size) for tensor in file.inputs],
        "outputs": [(tensor.letter, tensor.size) for tensor in file.outputs],
    }
    with loadable_file(device, data) as (path, copy):
        told = _measure(device, path, copy, names)
    from_flash = copy is False and device.flash == "cache model"
    in_flash = {"predict_into_us": None, "first_us": None}
    if (
        copy is None
        and device.flash == "cache model"
        and len(data) < device.machine.layout.romfs_bytes - 1024
        and has_romfs(device)
    ):
        with file_in_romfs(device, data) as path:
            in_flash = _measure(device, path, False, names)
    layers = [
        _layer_time(layer, name, elapsed_us, told["clock_hz"])
        for layer, name, elapsed_us in zip(file.layers, layer_names(file), told.pop("layers_us"), strict=True)
    ]
    return Benchmark(
        name=name,
        dtype=dict(line.split(": ", 1) for line in file.lines("provenance") if ": " in line).get(
            "dtype", file.inputs[0].dtype
        ),
        device=device.name,
        flash=device.flash,
        flash_us=in_flash["predict_into_us"],
        flash_first_us=in_flash["first_us"],
        file_bytes=len(data),
        n_repeats=n_repeats,
        macs=sum(layer.macs for layer in layers),
        predicted_us=(verdict.flash_ms if from_flash else verdict.elapsed_ms) * 1e3,
        predicted_flash_us=verdict.flash_ms * 1e3,
        layers=layers,
        **told,
    )


def _measure(device: Device, path: str, copy: bool | None, names: dict) -> dict:
    return json.loads(
        device.exec(script("bench_model.py", model_path=path, copy=copy, **names), timeout_s=600)
    )


def _layer_time(layer, name: str, elapsed_us: float, clock_hz: int) -> LayerTime:
    cycles = elapsed_us * clock_hz / 1e6
    shape = " -> ".join(
        "+".join(str(tensor.size) for tensor in ends) for ends in (layer.inputs, layer.outputs)
    )
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


def bench_ways(device: Device, data: bytes, n_repeats: int = 15) -> list[Way]:
    """Measure the published 8-neuron network, whose model file is `data`, by each way of the API, from plain Python to
    `predict_into`.

    ModelError if two of them disagree by more than 1e-6: a fast wrong answer is none.
    """
    device.require_anne()
    network = published_networks()[WAYS_NETWORK]
    layers = [[layer.n_out, layer.weights, layer.bias, layer.activation] for layer in network.layers]
    task = json.dumps({"layers": layers, "x": network.inputs[0]})
    with temporary_file(device, data, "model") as path:
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


def bench_pasted(device: Device, models: list[tuple[bytes, bytes]]) -> list[PastedWeights]:
    """Measure what it costs to paste weights into a program, as AI-ANNE's own have them: MicroPython compiles a list of
    different numbers in a time that grows with the square of their count.

    `models` are dense layers, each as a program and as a model file.
    """
    device.require_anne()
    measured = []
    for program, data in models:
        with (
            temporary_file(device, program, "program") as program_path,
            temporary_file(device, data, "model") as model_path,
        ):
            names = {"program_path": program_path, "model_path": model_path}
            told = json.loads(device.exec(script("bench_program.py", **names)))
        file = open_model(data)
        n_in, n_out = file.inputs[0].size, file.outputs[0].size
        measured.append(PastedWeights(n_in * n_out + n_out, len(program), **told))
    return measured


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
        times = {"ms": result.predict_into_us, "first_ms": result.first_us, "flash_ms": result.flash_us}
        flat.append(
            {
                "model": result.name,
                **{key: us if us is None else us / 1e3 for key, us in times.items()},
                "arena_bytes": result.ram_bytes,
                "flash": result.flash,
            }
        )
    for way in ways:
        flat.append({"model": WAYS_NETWORK, "way": way.way, "ms": way.us / 1e3, "heap_bytes": way.heap_bytes})
    return flat
