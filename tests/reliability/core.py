"""The C core against hostile files and at the edges of its memory: the programs beside this file, and the fuzzer."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from figures import ROOT, Found, ReliabilityError

PROGRAMS = ROOT / "build" / "host" / "tests" / "reliability"
MODELS = ROOT / "tests" / "golden" / "models"
SMALL_BYTES = 3200  # ten of the golden models, of every kind, are not larger
FUZZER_BYTES = 1200
SHORT_RUNS, LONG_RUNS = 5_000_000, 100_000_000
SHORT_S, LONG_S = 60, 3600


def run_program(name: str, *arguments: object) -> dict:
    """Run a harness; return the figures on its last line. ReliabilityError with the end of what it said if it fails."""
    program = PROGRAMS / name
    if not program.exists():
        raise FileNotFoundError(f"no {program}; `make test` builds it")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise ReliabilityError(f"{name}: status {done.returncode}\n{(done.stderr + done.stdout)[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def truncation(soak: bool) -> Found:
    """Every model at every length, as it is and with length and CRC made good."""
    found = run_program("damage", "truncation", MODELS)
    if found["models"] < 10 or found["taken"]:
        raise ReliabilityError(f"truncation: {found}")
    return Found(f"{found['runs']:,} files of {found['models']} models", "all refused, no sanitizer report")


def bits(soak: bool) -> Found:
    """Every bit of models, CRC on."""
    found = run_program("damage", "bits", MODELS, *([] if soak else [SMALL_BYTES]))
    if found["models"] < 3 or found["taken"]:
        raise ReliabilityError(f"bits: {found}")
    return Found(f"{found['runs']:,} bits of {found['models']} models", "all refused")


def fields(soak: bool) -> Found:
    """Every byte, half-word and word of models as a field, CRC made good; in short one word in eight of the data."""
    found = run_program("damage", "fields", MODELS, *([] if soak else [SMALL_BYTES]))
    if found["runs"] < 10_000:
        raise ReliabilityError(f"fields: {found}")
    return Found(
        f"{found['runs']:,} files of {found['models']} models",
        f"{found['runs'] - found['taken']:,} refused; {found['taken']:,} run, each layer inside its own bytes",
    )


def guards(soak: bool) -> Found:
    """Every way a layer runs, in many shapes, with everything poisoned that is not its own."""
    shapes = 5000 if soak else 1000
    found = run_program("guards", shapes)
    return Found(
        f"{found['variants']} kinds of layers x {shapes:,} shapes ({found['runs']:,} models), {found['graphs']:,} "
        "networks that branch",
        "no byte beyond read or written; input and file unchanged",
    )


def fuzzer(soak: bool) -> Found:
    """libFuzzer on load and run, from the small golden models."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for path in MODELS.glob("*.anne"):
            if path.stat().st_size <= FUZZER_BYTES:
                shutil.copy(path, corpus)
        runs, seconds = (LONG_RUNS, LONG_S) if soak else (SHORT_RUNS, SHORT_S)
        options = [
            f"-runs={runs}",
            f"-max_total_time={seconds}",
            f"-max_len={FUZZER_BYTES}",
            "-len_control=0",
        ]
        options += ["-seed=1", "-verbosity=0", "-timeout=60", "-reload=0", f"-artifact_prefix={PROGRAMS}/"]
        found = run_program("fuzz_model", *options, corpus)
    return Found(
        f"{found['runs']:,} inputs",
        f"{found['taken']:,} taken and run; no crash, leak or undefined behaviour; "
        f"the slowest took {found['slowest_ms']:.1f} ms",
    )
