"""Makes anne-explorer.html, one file that needs nothing else: the C core as WebAssembly, the data, the scripts.

    python web/build.py build/web build/anne-explorer.html

clang with lld and wasi-libc compile the core, esbuild puts the scripts together (Debian: clang lld wasi-libc esbuild).
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
CORE = ROOT / "native_module"
TOOLS = ("clang", "wasm-ld", "esbuild")
DOORS = re.compile(r"^EXPORT .*?(anne_host_\w+)\(", re.M)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path, help="folder for what lies between")
    parser.add_argument("page", type=Path, help="the page to write")
    parser.add_argument("--if-possible", action="store_true", help="say what is missing, and end well")
    arguments = parser.parse_args()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        line = f"web/build.py: {', '.join(missing)} missing: `make explorer` installs what the page is built with"
        if not arguments.if_possible:
            sys.exit(line)
        print(line)
        return
    arguments.work.mkdir(parents=True, exist_ok=True)
    wasm = compiled_core(arguments.work / "core.wasm")
    (arguments.work / "core.wasm.gz").write_bytes(gzip.compress(wasm.read_bytes(), 9, mtime=0))
    (arguments.work / "data.json").write_text(json.dumps(data(), separators=(",", ":")))
    (arguments.work / "constants.json").write_text(json.dumps(constants()))
    script = bundled(arguments.work)
    page = assembled(script, (WEB / "style.css").read_text())
    arguments.page.write_text(page)
    print(f"{arguments.page}: {len(page.encode()) / 1024:.0f} KB")


def compiled_core(wasm: Path) -> Path:
    """The core and its doors of host.c, with the options that all builds of the core have (flags.env)."""
    flags = dict(re.findall(r"^([A-Z_]+)=(.*)$", (CORE / "flags.env").read_text(), re.M))
    sources = [path for part in (".", "layers", "train", "kernels") for path in (CORE / part).glob("*.c")]
    doors = DOORS.findall((CORE / "host.c").read_text())
    run(
        "clang", "--target=wasm32-wasi", "--sysroot=/usr", "-O2", "-std=c11", *flags["ANNE_FLAGS"].split(),
        f"-I{CORE}", "-nostdlib", "-fvisibility=hidden", "-Wl,--no-entry,--gc-sections,--strip-all",
        *(f"-Wl,--export={door}" for door in [*doors, "malloc", "free"]),
        "-o", str(wasm), *map(str, sorted(sources)), "-lc",
    )  # fmt: skip
    return wasm


def constants() -> dict:
    """Names in the order of their numbers in C, prices of layers and addresses of boards, as the Python packages have
    them."""
    from anne.host_trainer import LOSSES, OPTIMIZERS
    from anne.reference import ACTIVATIONS
    from anne_tools.boards.costs import CHIPS
    from anne_tools.boards.fit import BOARDS, LAYER_BYTES
    from anne_tools.boards.romfs_uf2 import romfs_address
    from anne_tools.boards.uf2 import FAMILIES
    from anne_tools.layers.prices import BLOCKS

    chip, kernels = CHIPS["rp2040"], ("f32", "f32_aligned")
    priced = (*kernels, "f32_aligned relu", "scaling float32", "activation float32")
    return {
        "activations": list(ACTIVATIONS),
        "losses": LOSSES,
        "optimizers": OPTIMIZERS,
        "boards": {
            name: {"address": romfs_address(name), "family": FAMILIES[BOARDS[name].chip]}
            for name in ("pico", "pico2")
        },
        "clockHz": BOARDS["pico"].clock_hz,
        "layerBytes": LAYER_BYTES,
        "blocks": {name: {"rows": BLOCKS[name].rows, "panel": BLOCKS[name].panel} for name in kernels},
        "prices": {
            "call": price(chip.call["float32"]),
            "kernels": {name: price(chip.kernels[name]) for name in priced},
            "activations": {name: price(cost) for name, cost in chip.activations_f32.items()},
        },
    }


def price(cost) -> dict[str, float]:
    return {part: cycles for part, cycles in asdict(cost).items() if cycles}


def data() -> dict:
    """The IRIS data, and AI-ANNE's own lesson with the weights it begins with."""
    from anne_tools.networks import published_training

    networks = ROOT / "host_tools/anne_tools/networks"
    two = [
        [float(cell) for cell in row] for row in csv.reader((networks / "iris.csv").read_text().splitlines())
    ]
    three = list(csv.reader((ROOT / "examples/iris.csv").read_text().splitlines()))[1:]
    labels = sorted({row[-1] for row in three})
    training = published_training()
    parameters = [v for layer in training.layers for v in [*sum(layer.weights, []), *layer.bias]]
    return {
        "iris": {"x": [row[1:] for row in two], "y": [int(row[0]) for row in two]},
        "iris3": {
            "x": [[float(cell) for cell in row[:-1]] for row in three],
            "y": [labels.index(row[-1]) for row in three],
            "labels": labels,
        },
        "lesson": {
            "x": training.inputs,
            "y": training.labels,
            "exercise": {
                "sizes": [training.layers[0].n_in, *(layer.n_out for layer in training.layers)],
                "activations": [layer.activation for layer in training.layers],
                "hidden": [
                    {"n": layer.n_out, "activation": layer.activation} for layer in training.layers[:-1]
                ],
                "settings": {"lr": training.lr},
                "parameters": parameters,
            },
        },
    }


def bundled(work: Path) -> str:
    """All scripts as one; what is made here is found in `work`."""
    aliases = [
        f"--alias:{name}={work.resolve() / name}" for name in ("core.wasm.gz", "data.json", "constants.json")
    ]
    out = work / "page.js"
    run(
        "esbuild", "--bundle", str(WEB / "js/main.js"), *aliases, "--loader:.gz=binary", "--format=esm",
        "--target=es2022", "--charset=utf8", "--minify-whitespace", "--log-level=warning", f"--outfile={out}",
    )  # fmt: skip
    return out.read_text().replace("</script", "<\\/script")


def assembled(script: str, style: str) -> str:
    """The page, whose policy lets run just this script and this style."""
    page = (WEB / "index.html").read_text()
    for name, text in (("SCRIPT", script), ("STYLE", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        page = page.replace(f"@{name}_HASH@", f"sha256-{digest}")
    return page.replace("@STYLE@", style).replace("@SCRIPT@", script)


def run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"web/build.py: {command[0]} failed:\n{done.stdout}")


if __name__ == "__main__":
    main()
