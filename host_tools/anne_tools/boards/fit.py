"""Will it fit, and how fast will it be: a model file against the boards' memories and a cost model of the kernels.

`fit(file, board)` gives a Verdict: where the file goes, what it needs in RAM, cycles layer by layer, and, if it
does not fit, the layer that breaks it and what would help.

A file in the board's storage is read into RAM and used there; a file in ROMFS is used where it lies in flash, or copied
(`anne.load(copy=True)`). Beside the weights a model needs its workspace: layers, values between them, scratch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from anne.model_file import MAX_CONSTANTS, ModelFile

from ..cores.core import Core
from ..cores.files import layer_names
from ..cores.local import open_core
from ..cores.memory import arena_use
from ..errors import ModelError
from .advice import advice
from .costs import CHIPS, LayerCost, call_cycles, layer_cost
from .energy import energies
from .runtime_files import kinds_for

KB = 1024


@dataclass(frozen=True)
class Board:
    """What a board has: bytes, and the clock in Hz.

    `heap_bytes` is what MicroPython has free after `import anne`; the model, its inputs and the program share it.
    Where the firmware is MicroPython's own, it is less: `runtime_kb` is what AI-ANNE takes of it in KB, by the kinds of
    layers that a network needs (runtime_files.py); empty where the firmware is ours.
    """

    name: str
    chip: str
    sram_bytes: int
    heap_bytes: int
    flash_bytes: int
    romfs_bytes: int
    storage_bytes: int
    clock_hz: int
    runtime_kb: dict[str, int] = field(default_factory=dict)


# heap_bytes of the pico: gc.mem_free() on the emulated board, and 212 KB in one file were loaded there; of the others
# estimates, not measured. Those with Wi-Fi have MicroPython's own firmware, and here AI-ANNE with all kinds: what it
# takes of a heap is measured on the emulated pico with it (tests/emulator/test_runtime.py), 236 KB free at first; the
# storage is as in MicroPython's ports/rp2/boards (1.25.0 and 1.26.1 alike); it has no ROMFS.
BOARDS = {
    "pico": Board("pico", "rp2040", 264 * KB, 227 * KB, 2048 * KB, 160 * KB, 1408 * KB, 125_000_000),
    "pico-models": Board(
        "pico-models", "rp2040", 264 * KB, 227 * KB, 2048 * KB, 1024 * KB, 512 * KB, 125_000_000
    ),
    "pico2": Board("pico2", "rp2350", 520 * KB, 440 * KB, 4096 * KB, 256 * KB, 3072 * KB, 150_000_000),
    "pico-w": Board(
        "pico-w", "rp2040", 264 * KB, 102 * KB, 2048 * KB, 0, 848 * KB, 125_000_000, {"all": 89, "dense": 43}
    ),
    "pico2-w": Board(
        "pico2-w",
        "rp2350",
        520 * KB,
        294 * KB,
        4096 * KB,
        0,
        2560 * KB,
        150_000_000,
        {"all": 101, "dense": 44},
    ),
}
# Those whose firmware this project builds.
OWN_FIRMWARE = tuple(name for name, board in BOARDS.items() if not board.runtime_kb)
_NETWORK_KB = 45  # what Wi-Fi and Bluetooth take, estimated
_OURS = {"rp2040": "pico", "rp2350": "pico2"}
# What the heap must have left for the program and the objects of `anne.Model` itself.
RESERVE_BYTES = 12 * KB
# A file that is read into RAM is one piece of the heap, and so is the workspace. Right after a reset nearly all of the
# pico's heap is one (218 of 224 KB, emulated); where a script of 10 KB was compiled before, which leaves its pieces all
# over, the largest is 146 KB, though 195 are free. A fit takes the first case; the verdict says so of larger pieces.
SURE_PIECE_BYTES = 146 * KB

# sizeof(anne_layer_t) on a chip with 32-bit pointers (native_module/layers/layers.h): eight words, the addresses of
# the constants, three words. tests/host_tools/boards/test_fit.py compares it with the compiler's.
LAYER_BYTES = 4 * (8 + MAX_CONSTANTS + 4)


_UNCOUNTED = "the kernels' scratch memory is not counted: only the C core knows it, and there is none here"


# --- The verdict ----------------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """Whether a model fits a board, and how it runs there. Bytes, cycles and milliseconds of one prediction.

    `energy_uj` has the microjoules of one prediction where the file goes, by the clock in MHz: an estimate from the
    datasheet's currents (energy.py), None for what does not fit and for chips but the RP2040.

    `place` is "storage" (read into RAM) or "romfs" (used in flash), "" if neither will do; then `reason` is one line,
    `layer` the layer that breaks it, `advice` what would make it fit, `firmware` the other firmware of this board, with
    which it does. `elapsed_ms` includes `predict` itself, list in and list out; `flash_ms` is the same with the weights
    in ROMFS, on silicon; both None for what does not fit. Where no C core is here, `scratch_counted` is False: the
    workspace is without the kernels' scratch memory, which only the core knows. `kinds` is what it needs of AI-ANNE on
    MicroPython's own firmware (runtime_files.py).
    """

    board: str
    fits: bool
    place: str
    file_bytes: int
    workspace_bytes: int
    ram_bytes: int
    heap_bytes: int
    cycles: float
    elapsed_ms: float | None
    flash_ms: float | None
    layers: list[LayerCost]
    measured: str
    energy_uj: dict[str, float] | None = None
    kinds: str = "all"
    reason: str = ""
    layer: str = ""
    advice: list[str] = field(default_factory=list)
    firmware: str = ""
    scratch_counted: bool = True

    @property
    def heap_less_bytes(self) -> int:
        """How much less of a heap there is than with our firmware on that chip; 0 where the firmware is ours."""
        board = BOARDS[self.board]
        return BOARDS[_OURS[board.chip]].heap_bytes - self.heap_bytes if board.runtime_kb else 0

    @property
    def predicted_ms(self) -> float | None:
        """What one prediction takes where the file goes, None if it does not fit."""
        return self.flash_ms if self.place == "romfs" else self.elapsed_ms

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain data for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return whether the model fits, what it needs there and how long it takes; or why not, and what would help."""
        if not self.fits:
            reason = f"does not fit the {self.board}: {self.reason}; largest: {self.layer}"
            return [
                reason,
                *(f"  {line}" for line in [*self.advice, *self._other_firmware()]),
                *self._stock(),
            ]
        where = "in RAM" if self.place == "storage" else "in ROMFS, weights used in flash"
        piece = max(self.workspace_bytes, self.file_bytes if self.place == "storage" else 0)
        assumed = (
            f"it needs {piece} bytes in one piece, which the heap has right after a reset: load it before a large "
            "program is imported"
        )
        return [
            f"fits the {self.board} {where}: {self.ram_bytes} of {self.heap_bytes} bytes of RAM "
            f"({self.workspace_bytes} beside the file)",
            f"one prediction: about {self.predicted_ms:.3g} ms on the {self.board} ({self.measured})",
            *([] if self.scratch_counted else [_UNCOUNTED]),
            *([assumed] if piece > SURE_PIECE_BYTES and BOARDS[self.board].chip == "rp2040" else []),
            *self._stock(),
        ]

    def energy_line(self) -> str:
        """Return the estimate of a prediction's energy in a line, "" if there is none."""
        if self.energy_uj is None:
            return ""
        clocks = ", ".join(f"{_energy(energy)} at {clock} MHz" for clock, energy in self.energy_uj.items())
        return f"its energy: about {clocks} (estimated from the datasheet's currents, not measured: docs/energy.md)"

    def _stock(self) -> list[str]:
        board = BOARDS[self.board]
        if not board.runtime_kb:
            return []
        with_ = "AI-ANNE with dense layers alone" if self.kinds == "dense" else "AI-ANNE"
        return [
            f"the {self.board} has MicroPython's own firmware and anne deploy --runtime: a heap of {self.heap_bytes} "
            f"bytes, {self.heap_less_bytes} less than a {_OURS[board.chip]}'s; {with_} takes "
            f"{board.runtime_kb[self.kinds]} KB of the heap there, Wi-Fi and Bluetooth some {_NETWORK_KB} (estimated)"
        ]

    def _other_firmware(self) -> list[str]:
        if not self.firmware:
            return []
        room = BOARDS[self.firmware].romfs_bytes // KB
        return [
            f"use the firmware with {room} KB for models in flash: anne flash --board {self.firmware} (it formats the "
            "storage), then anne deploy --as /rom/"
        ]


def workspace_bytes(model: Core, chip: str) -> int:
    """Return what the model needs in RAM beside the file, on that chip; without scratch where the core does not know
    it."""
    scratch = model.repacked_scratch_bytes if chip == "rp2350" else model.scratch_bytes
    return len(model.file.layers) * LAYER_BYTES + model.file.arena_bytes + (scratch or 0)


def board_called(name: str) -> Board:
    """Return that one of BOARDS. ModelError if there is none."""
    if name not in BOARDS:
        raise ModelError(f"board: expected one of {', '.join(BOARDS)}, got {name!r}")
    return BOARDS[name]


def fit(data: bytes, board_name: str) -> Verdict:
    """Return the Verdict for the model file `data` on a board of BOARDS. ModelError if the file is damaged."""
    board = board_called(board_name)
    with open_core(data) as model:
        kinds = kinds_for(layer.kind for layer in model.file.layers)
        if board.runtime_kb:  # anne deploy --runtime brings what the network needs
            less_kb = board.runtime_kb["all"] - board.runtime_kb[kinds]
            board = replace(board, heap_bytes=board.heap_bytes + less_kb * KB)
        workspaces = {chip: workspace_bytes(model, chip) for chip in CHIPS}
        verdict = _verdict(board, model.file, len(data), workspaces)
        return replace(verdict, kinds=kinds, scratch_counted=model.scratch_bytes is not None)


def _verdict(board: Board, file: ModelFile, file_bytes: int, workspaces: dict[str, int]) -> Verdict:
    workspace = workspaces[board.chip]
    place = placed(board, file_bytes, workspace)
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
        elapsed_ms=cycles / board.clock_hz * 1e3 if place else None,
        flash_ms=flash_cycles / board.clock_hz * 1e3 if place else None,
        layers=costs,
        measured=CHIPS[board.chip].source,
    )
    if not verdict.fits:
        _explain(verdict, board, file, workspaces)
    elif board.chip == "rp2040":
        verdict.energy_uj = energies(flash_cycles if place == "romfs" else cycles)
    return verdict


def _energy(microjoules: float) -> str:
    return f"{microjoules:.3g} uJ" if microjoules < 999.5 else f"{microjoules / 1000:.3g} mJ"


def placed(board: Board, file_bytes: int, workspace: int) -> str:
    """Return where on the board a file goes that needs `workspace` bytes beside itself; "" if it fits nowhere."""
    if file_bytes <= board.storage_bytes and file_bytes + workspace <= _room(board):
        return "storage"
    return "romfs" if file_bytes <= _romfs_room(board) and workspace <= _room(board) else ""


def _room(board: Board) -> int:
    return board.heap_bytes - RESERVE_BYTES


def _romfs_room(board: Board) -> int:
    return board.romfs_bytes - KB


def _explain(verdict: Verdict, board: Board, file: ModelFile, workspaces: dict[str, int]) -> None:
    """Fill in why it does not fit, where, and what would help; `workspaces` are what it needs on each chip."""
    names, workspace = layer_names(file), verdict.workspace_bytes
    if workspace > _room(board):
        index = max(arena_use(file).layer, 0)
        verdict.reason = f"values between layers need {workspace} bytes of RAM, {_room(board)} are free"
    else:
        index = max(range(len(names)), key=lambda i: file.layers[i].nbytes)
        most = max(_romfs_room(board), _room(board) - workspace)
        verdict.reason = f"the file has {verdict.file_bytes} bytes, at most {most} fit"
    verdict.layer = names[index]
    verdict.advice = advice(
        file, names, verdict.file_bytes, workspace, lambda *bytes_: placed(board, *bytes_) != ""
    )
    models = BOARDS["pico-models"]
    if models.chip == board.chip and not board.runtime_kb and placed(models, verdict.file_bytes, workspace):
        verdict.firmware = models.name
    for other in map(BOARDS.get, OWN_FIRMWARE):
        fits = placed(other, verdict.file_bytes, workspaces[other.chip]) != ""
        if fits and other.heap_bytes > board.heap_bytes:
            verdict.advice.append(f"use a board with more RAM: it fits the {other.name}")
    if not verdict.advice:
        verdict.advice.append(
            "no type of numbers and no smaller hidden layer makes it fit: it needs fewer inputs or outputs"
        )
