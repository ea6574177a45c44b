"""`anne bench`: how fast model files are on a Pico."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from .common import (
    board_file_option,
    console,
    flash_cache_option,
    flash_told,
    json_option,
    json_text,
    place,
    print_json,
    progress,
    uf2_option,
)
from .models import open_model_file, print_table

_file = click.Path(path_type=Path)


@click.command(
    "bench",
    epilog="\b\nExamples:\n  anne bench net.anne\n  anne bench net.anne --on /dev/ttyACM0 --json"
    "\n  anne bench --output bench.json    (AI-ANNE's networks, and every kernel)",
)
@click.argument("models", nargs=-1, type=_file)
@click.option("--on", "where", metavar="emulator|PORT", help="Where to run; default: emulator.")
@click.option("--output", type=_file, help="Also write the JSON document to this file.")
@board_file_option
@flash_cache_option
@uf2_option
@json_option
def command(
    models: tuple[Path, ...],
    where: str | None,
    output: Path | None,
    board_file: Path | None,
    flash_cache: bool | None,
    uf2: Path | None,
    as_json: bool,
) -> None:
    """Measure model files on a Pico: the median time of a prediction, each layer, and the RAM they take.

    Without MODELS the published networks, one dense layer for each kernel, and training are measured.
    Where something else keeps the board busy meanwhile, such as USB behind a socket, that is measured and told, too.
    """
    from ..boards.bench import (
        WAYS_NETWORK,
        bench,
        bench_pasted,
        bench_ways,
        loop_cycles,
        records,
        why_slower,
    )
    from ..boards.bench_training import bench_training
    from ..boards.open_device import open_device
    from ..conversion.standard_models import head_base, pasted_models, standard_models
    from ..data.files import check_target, write_atomically

    if output:
        check_target(output, models)
    where, options = place(where, "emulator", board_file, uf2, flash_cache)
    files = {path.name: open_model_file(path)[0] for path in models}
    results, ways, pasted, trainings = [], [], [], []
    with progress("prepares the models") as tell:
        files = files or standard_models()
        tell(f"starts {where}", 0, 0)
        with open_device(where, **options) as device:
            device.require_anne()
            board, cycles = device.describe(), loop_cycles(device)
            slower, flash = why_slower(device.name, cycles), device.flash
            if not models:
                tell("measures the ways to ask for a prediction", 0, 0)
                ways = bench_ways(device, files[WAYS_NETWORK])
                tell("measures weights in a program", 0, 0)
                pasted = bench_pasted(device, pasted_models())
                tell("measures how it learns", 0, 0)
                trainings = bench_training(device, head_base())
            for name, data in files.items():
                tell(f"measures {name}", len(results), len(files))
                device.reset()  # so that the heap is in one piece, whatever ran before
                results.append(bench(device, data, name))
    document = {
        "board": board,
        "flash": flash,
        "loop_cycles": cycles,
        "why_slower": slower,
        "results": records(results, ways),
        "models": [result.to_json() for result in results],
        "ways": [asdict(way) for way in ways],
        "pasted": [asdict(one) for one in pasted],
        "trainings": [asdict(one) for one in trainings],
    }
    if output:
        write_atomically(output, json_text(document).encode(), models)
    if as_json:
        print_json(document)
    else:
        _show([board, flash_told(flash)], results, bool(models))
        _show_ways(ways)
        _show_pasted(pasted)
        _show_trainings(trainings)
        if slower:
            console().print(slower)


def _show(heading: list[str], results: list, with_layers: bool) -> None:
    out = console()
    for line in filter(None, heading):
        out.print(line)
    with_flash = any(result.first_us is not None for result in results)
    rows = [
        [
            result.name,
            f"{result.predict_into_us:.0f}",
            *([_us(result.first_us), _us(result.flash_us)] if with_flash else []),
            f"{result.predict_us:.0f}",
            f"{result.predicted_us:.0f}",
            str(result.file_bytes),
            str(result.ram_bytes),
            str(result.macs),
            _heaviest(result),
        ]
        for result in results
    ]
    columns = [
        "model",
        "predict_into us",
        *(["first us", "in flash us"] if with_flash else []),
        "predict us",
        "predicted us",
        "file bytes",
        "RAM bytes",
        "MACs",
        "cycles/MAC",
    ]
    print_table(out, columns, rows, left=("model",))
    if with_flash:
        out.print(
            "first: the first call, with nothing in the flash cache; in flash: weights are read from ROMFS."
        )
    off, where = worst_prediction(results)
    out.print(f"Predicted cycles of layers are off by at most {100 * off:.1f} %{where}.")
    for result in results if with_layers else ():
        out.print(f"{result.name}, layer by layer:")
        rows = [
            [
                layer.name,
                layer.kernel,
                layer.shape,
                f"{layer.cycles:.0f}",
                f"{layer.predicted_cycles:.0f}",
                "" if layer.per_mac is None else f"{layer.per_mac:.2f}",
            ]
            for layer in result.layers
        ]
        columns = ["layer", "kernel", "shape", "cycles", "predicted", "cycles/MAC"]
        print_table(out, columns, rows, left=("layer", "kernel", "shape"))


def _us(time_us: float | None) -> str:
    return "" if time_us is None else f"{time_us:.0f}"


def worst_prediction(results: list) -> tuple[float, str]:
    """Return by which part the prediction for a layer was off at most, and of which."""
    found = [
        (abs(layer.predicted_cycles / layer.cycles - 1), f" ({layer.name} of {result.name})")
        for result in results
        for layer in result.layers
        if layer.cycles > 0
    ]
    return max(found, default=(0.0, ""))


def _show_ways(ways: list) -> None:
    if not ways:
        return
    from ..boards.bench import WAYS_NETWORK
    from ..boards.demo import ORIGINAL_US

    out = console()
    out.print(f"One prediction of {WAYS_NETWORK}, by each way to ask for it:")
    rows = [[way.way, f"{way.us:.0f}", str(way.heap_bytes)] for way in ways]
    rows.insert(0, ["AI-ANNE's own code (cited, not of this run)", str(ORIGINAL_US[WAYS_NETWORK]), ""])
    print_table(out, ["way", "us", "heap bytes"], rows, left=("way",))


def _show_pasted(pasted: list) -> None:
    if not pasted:
        return
    out = console()
    out.print("Weights until they can be used, as numbers in a program and from a file:")
    rows = [[str(one.numbers), f"{one.program_ms:.0f}", f"{one.load_ms:.1f}"] for one in pasted]
    print_table(out, ["numbers", "program ms", "anne.load ms"], rows)


def _show_trainings(trainings: list) -> None:
    if not trainings:
        return
    out = console()
    out.print("What it takes to learn; the original's own code is cited, and not of this run:")
    rows = [
        [
            one.what,
            f"{one.ms:.3f}",
            *(
                "" if value is None else f"{value:.0f}"
                for value in (one.per_weight, one.reference_ms, one.original_ms)
            ),
        ]
        for one in trainings
    ]
    columns = ["what is learnt", "ms", "cycles/weight", "ms in Python", "ms of the original"]
    print_table(out, columns, rows, left=("what is learnt",))


def _heaviest(result: object) -> str:
    """Cycles a multiplication of the layer with the most of them."""
    layer = max(result.layers, key=lambda layer: layer.macs)
    return "" if layer.per_mac is None else f"{layer.per_mac:.2f}"
