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

from .costs import CHIPS, LayerCost, call_cycles, layer_cost
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


# heap_bytes of the pico: gc.mem_free() on the emulated board, and 212 KB in one file were loaded there; of the pico2 an
# estimate, not measured.
BOARDS = {
    "pico": Board("pico", "rp2040", 264 * KB, 227 * KB, 2048 * KB, 192 * KB, 1408 * KB, 125_000_000),
    "pico2": Board("pico2", "rp2350", 520 * KB, 440 * KB, 4096 * KB, 256 * KB, 3072 * KB, 150_000_000),
}
# What the heap must have left for the program and the objects of `anne.Model` itself.
RESERVE_BYTES = 12 * KB

# sizeof(anne_layer_t) on a chip with 32-bit pointers (native_module/layers.h): eight words, the addresses of
# the constants, three words. tests/host_tools/test_fit.py compares it with the compiler's.
LAYER_BYTES = 4 * (8 + MAX_CONSTANTS + 4)


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
    cycles = sum(cost.cycles for cost in costs) + call_cycles(file, board.chip)
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
        measured=CHIPS[board.chip].source,
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
_INT8_SAVES: dict[str, float] = {"f32": 3 / 4, "f32_aligned": 3 / 4, "s16": 1 / 2}


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
    units -= units % 8 if units > 8 else 0  # kernels take rows in eights
    if units > 0 and index + 1 < len(file.layers):
        advice.append(f"give {names[index]} at most {units} units instead of {n_out}")
    else:
        advice.append(f"use fewer inputs: {names[index]} has {layer.inputs[0].size}")
    return advice
