"""Will it fit, and how fast will it be: a model file against the boards' memories and a cost model of the kernels.

`fit(file, board)` gives a Verdict: where the file goes, what it needs in RAM, cycles layer by layer, and, if it
does not fit, the layer that breaks it and what would help.

A file in the board's storage is read into RAM and used there; a file in ROMFS is used where it lies in flash, or copied
(`anne.load(copy=True)`). Beside the weights a model needs its workspace: layers, values between them, scratch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import prod

from anne.model_file import MAX_CONSTANTS, ModelFile

from .errors import ModelError
from .native import NativeModel

KB = 1024


@dataclass(frozen=True)
class Board:
    """What a board with our firmware has: bytes, and the clock in Hz.

    `heap_bytes` is what MicroPython has free after `import anne`; the model, its inputs and the program share it.
    """

    name: str
    chip: str
    sram_bytes: int
    heap_bytes: int
    flash_bytes: int
    romfs_bytes: int
    storage_bytes: int
    clock_hz: int


# heap_bytes of the pico: gc.mem_free() on the emulated board;
# of the pico2 the same subtraction from 520 KB, not measured.
BOARDS = {
    "pico": Board("pico", "rp2040", 264 * KB, 190 * KB, 2048 * KB, 192 * KB, 1408 * KB, 125_000_000),
    "pico2": Board("pico2", "rp2350", 520 * KB, 440 * KB, 4096 * KB, 192 * KB, 3072 * KB, 150_000_000),
}
# What the heap must have left for the program and the objects of `anne.Model` itself.
RESERVE_BYTES = 12 * KB

# sizeof(anne_layer_t) on a chip with 32-bit pointers (native_module/layers.h): eight words, the addresses of
# the constants, three words. tests/host_tools/test_fit.py compares it with the compiler's.
LAYER_BYTES = 4 * (8 + MAX_CONSTANTS + 3)


# --- What it costs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """Cycles of one layer: base + per_input n_in + per_output n_out + per_mac MACs."""

    base: float
    per_input: float = 0.0
    per_output: float = 0.0
    per_mac: float = 0.0

    def cycles(self, n_in: int, n_out: int, macs: int) -> float:
        """Return the cycles for a layer of that size."""
        return self.base + self.per_input * n_in + self.per_output * n_out + self.per_mac * macs


@dataclass(frozen=True)
class Chip:
    """Costs of a chip's kernels, by `anne.model_file.Layer.kernel` for dense layers, else by "kind dtype".

    `activation_f32` are cycles an element of the activations of floats; `call` is `predict` itself with a list in and
    out; `flash_byte` are the extra cycles for each byte of weights that comes from flash instead of SRAM (a word that
    misses the 16 KB cache costs about 40 cycles on silicon); `source` says where the figures are from.
    """

    kernels: dict[str, Cost]
    activation_f32: dict[str, float]
    call: Cost
    flash_byte: float
    source: str


# Dense kernels by layout, the rest by kind and type. "no MACs" in front of a formula: base + n_in + n_out.
_RP2040 = Chip(
    kernels={
        "f32": Cost(400, 0, 60, 230),
        "s8_f32": Cost(600, 150, 500, 12),
        "s8_quad": Cost(300, 12, 60, 4.5),
        "s8_rows": Cost(300, 0, 60, 10),
        "s16": Cost(300, 0, 60, 10),
        "activation int8": Cost(100, 0, 8),
        "activation int16": Cost(100, 0, 25),
        "softmax int8": Cost(1500, 0, 60),
        "softmax int16": Cost(500, 0, 250),
        "scaling float32": Cost(100, 0, 250),
        "scaling int8": Cost(100, 0, 350),
        "scaling int16": Cost(100, 0, 350),
        "reshape": Cost(30),
    },
    activation_f32={
        "linear": 0,
        "relu": 15,
        "relu6": 30,
        "leaky_relu": 90,
        "hard_sigmoid": 300,
        "hard_swish": 400,
    },
    call=Cost(2500, 300, 100),
    flash_byte=10.0,
    source="first guesses",
)
# The Cortex-M33 computes floats itself; these are estimates on paper, from its instruction timings.
_RP2350 = Chip(
    kernels={
        "f32": Cost(200, 0, 20, 4),
        "s8_f32": Cost(300, 20, 40, 4),
        "s8_quad": Cost(200, 6, 30, 3),
        "s8_rows": Cost(200, 0, 30, 4),
        "s16": Cost(200, 0, 30, 4),
        "activation int8": Cost(60, 0, 6),
        "activation int16": Cost(60, 0, 15),
        "softmax int8": Cost(600, 0, 40),
        "softmax int16": Cost(300, 0, 60),
        "scaling float32": Cost(60, 0, 15),
        "scaling int8": Cost(60, 0, 40),
        "scaling int16": Cost(60, 0, 40),
        "reshape": Cost(20),
    },
    activation_f32={
        "linear": 0,
        "relu": 5,
        "relu6": 8,
        "leaky_relu": 8,
        "hard_sigmoid": 15,
        "hard_swish": 20,
    },
    call=Cost(2000, 60, 60),
    flash_byte=5.0,
    source="estimated from the Cortex-M33's instruction timings, not measured",
)
CHIPS = {"rp2040": _RP2040, "rp2350": _RP2350}
# Activations of floats that are not named in a chip's table: those with an exponential or a tangent in them.
_TRANSCENDENTAL_F32 = {"rp2040": 2500.0, "rp2350": 150.0}


@dataclass
class LayerCost:
    """Predicted cycles of a layer with its weights in SRAM, and what it takes more if they come from flash."""

    name: str
    cycles: float
    flash_cycles: float


def layer_cost(layer, name: str, chip_name: str) -> LayerCost:
    """Return what a layer of an `anne.model_file.ModelFile` costs on a chip of CHIPS."""
    chip = CHIPS[chip_name]
    n_in, n_out = layer.inputs[0].size, layer.outputs[0].size
    per_element = chip.activation_f32.get(layer.activation, _TRANSCENDENTAL_F32[chip_name])
    is_float = layer.outputs[0].dtype == "float32"
    if layer.kind == "activation" and is_float:
        cost = Cost(100, 0, per_element)
    elif layer.kind == "dense":
        cost = chip.kernels[layer.kernel]
    elif layer.kind == "reshape":
        cost = chip.kernels["reshape"]
    else:
        word = "softmax" if layer.activation == "softmax" else layer.kind
        cost = chip.kernels[f"{word} {layer.outputs[0].dtype}"]
    cycles = cost.cycles(n_in, n_out, layer.macs)
    if layer.kind == "dense" and is_float:
        cycles += per_element * n_out
    return LayerCost(name, cycles, chip.flash_byte * layer.nbytes)


# --- The verdict ----------------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """Whether a model fits a board, and how it runs there. Bytes, cycles and milliseconds of one prediction.

    `place` is "storage" (read into RAM) or "romfs" (used in flash), "" if neither will do; then `reason` is one line,
    `layer` the layer that breaks it, `advice` what would make it fit. `elapsed_ms` includes `predict` itself, list in
    and list out; `flash_ms` is the same with the weights in ROMFS, on silicon.
    """

    board: str
    fits: bool
    place: str
    file_bytes: int
    workspace_bytes: int
    ram_bytes: int
    heap_bytes: int
    cycles: float
    elapsed_ms: float
    flash_ms: float
    layers: list[LayerCost]
    measured: str
    reason: str = ""
    layer: str = ""
    advice: list[str] = field(default_factory=list)

    def to_json(self) -> dict:
        """Return the verdict as plain data for JSON."""
        return asdict(self)


def layer_names(file: ModelFile) -> list[str]:
    """Return the layers' names from the file, or "layer 0" and so on."""
    names = file.lines("layer_names")
    return names if len(names) == len(file.layers) else [f"layer {i}" for i in range(len(file.layers))]


def workspace_bytes(model: NativeModel) -> int:
    """Return what the model needs in RAM beside the file, on a chip with 32-bit pointers."""
    return len(model.file.layers) * LAYER_BYTES + model.file.arena_bytes + model.scratch_bytes


def fit(data: bytes, board_name: str) -> Verdict:
    """Return the Verdict for the model file `data` on a board of BOARDS. ModelError if the file is damaged."""
    if board_name not in BOARDS:
        raise ModelError(f"board: expected one of {', '.join(BOARDS)}, got {board_name!r}")
    board = BOARDS[board_name]
    with NativeModel(data) as model:
        return _verdict(board, model.file, len(data), workspace_bytes(model))


def _verdict(board: Board, file: ModelFile, file_bytes: int, workspace: int) -> Verdict:
    room = board.heap_bytes - RESERVE_BYTES
    place = ""
    if file_bytes <= board.storage_bytes and file_bytes + workspace <= room:
        place = "storage"
    elif file_bytes <= board.romfs_bytes - KB and workspace <= room:
        place = "romfs"
    costs = [
        layer_cost(layer, name, board.chip)
        for layer, name in zip(file.layers, layer_names(file), strict=True)
    ]
    chip = CHIPS[board.chip]
    cycles = sum(cost.cycles for cost in costs) + chip.call.cycles(
        file.inputs[0].size, file.outputs[0].size, 0
    )
    flash_cycles = cycles + sum(cost.flash_cycles for cost in costs)
    verdict = Verdict(
        board=board.name,
        fits=place != "",
        place=place,
        file_bytes=file_bytes,
        workspace_bytes=workspace,
        ram_bytes=workspace if place == "romfs" else file_bytes + workspace,
        heap_bytes=board.heap_bytes,
        cycles=cycles,
        elapsed_ms=cycles / board.clock_hz * 1e3,
        flash_ms=flash_cycles / board.clock_hz * 1e3,
        layers=costs,
        measured=chip.source,
    )
    if not verdict.fits:
        _explain(verdict, board, file, room)
    return verdict


def _explain(verdict: Verdict, board: Board, file: ModelFile, room: int) -> None:
    """Fill in why it does not fit, where, and what would help."""
    names = layer_names(file)
    if verdict.workspace_bytes > room:
        index = max(range(len(names)), key=lambda i: _value_bytes(file.layers[i]))
        verdict.reason = f"values between layers need {verdict.workspace_bytes} bytes of RAM, {room} are free"
        verdict.advice.append("use fewer inputs or units: even without weights the values do not fit")
    else:
        index = max(range(len(names)), key=lambda i: file.layers[i].nbytes)
        most = max(board.romfs_bytes - KB, room - verdict.workspace_bytes)
        verdict.reason = f"the file has {verdict.file_bytes} bytes, at most {most} fit"
        verdict.advice += _smaller(file, names, index, verdict.file_bytes - most)
    verdict.layer = names[index]
    for other in BOARDS.values():
        if other.heap_bytes > board.heap_bytes and verdict.ram_bytes <= other.heap_bytes - RESERVE_BYTES:
            verdict.advice.append(f"use a board with more RAM: it fits the {other.name}")


def _value_bytes(layer) -> int:
    return sum(tensor.nbytes for tensor in (*layer.inputs, *layer.outputs))


# Bytes that int8 weights save of a layer's constants, by layout.
_INT8_SAVES = {"f32": 3 / 4, "s16": 1 / 2}


def _smaller(file: ModelFile, names: list[str], index: int, excess: int) -> list[str]:
    """What would make the weights `excess` bytes smaller: int8, or fewer units in the layer."""
    advice = []
    saved = sum(_INT8_SAVES.get(layer.kernel, 0) * layer.nbytes for layer in file.layers)
    if saved >= excess:
        advice.append(f"convert with --dtype int8 or int8-weights: that saves about {int(saved)} bytes")
        return advice
    if saved:
        advice.append(f"convert with --dtype int8, which saves {int(saved)} bytes; that alone is not enough")
        excess -= int(saved)
    layer = file.layers[index]
    n_out = prod(layer.outputs[0].shape)
    a_unit = layer.nbytes * (1 - _INT8_SAVES.get(layer.kernel, 0)) / n_out
    units = n_out - int(excess / a_unit) - 1
    if units > 0 and index + 1 < len(file.layers):
        advice.append(f"give {names[index]} at most {units} units instead of {n_out}")
    else:
        advice.append(f"use fewer inputs: {names[index]} has {layer.inputs[0].size}")
    return advice
