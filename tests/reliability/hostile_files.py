"""Damaged files for the host importers: each is refused by one line of ModelError or read, in bounded time and memory.

A seed makes a file from a golden one: bytes changed, cut out, doubled or overwritten with extreme lengths; in zip
files mostly inside a member, whose CRC is then good again; in JSON by values, too. Files go through the importers in a
process of their own, so that a crash or a hang costs a message that names the seed.

    python tests/reliability/hostile_files.py FORMAT SEED     writes that file to ./damaged.FORMAT and reads it
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from figures import ROOT, Found, ReliabilityError

GOLDEN = ROOT / "tests" / "golden"
PROGRAMS = ROOT / "host_tools" / "anne_tools" / "networks"
# suffix of a format -> golden files, and options of `load`
FORMATS: dict[str, tuple[list[str], dict]] = {
    "onnx": (
        [
            *(f"onnx/{name}.onnx" for name in ("plain_opset17", "mlp_opset17", "activations_opset20")),
            *(
                f"onnx/branches/{name}_opset17.onnx"
                for name in ("sums", "two_inputs", "two_outputs", "padded")
            ),
        ],
        {},
    ),
    "tflite": (
        [
            *(
                f"tflite/{name}.tflite"
                for name in ("mlp_int8_float_ends", "activations_float16", "branches_int8")
            ),
            *(
                f"tflite/layers/{name}.tflite"
                for name in (
                    "convolutions_int8",
                    "decoder_float32",
                    "moves_float32",
                    "stream_int8",
                    "elements_int8",
                )
            ),
        ],
        {},
    ),
    "h5": (
        [
            f"keras/keras{name}.h5"
            for name in (
                "2_mlp",
                "3_mlp",
                "2_structured",
                "3_sharing",
                "3_padded",
                "2_meeting",
                "2_operators_of_images",
                "3_signals",
            )
        ],
        {},
    ),
    "keras": (
        [
            f"keras/keras{name}.keras"
            for name in (
                "2_mlp",
                "3_nested",
                "2_sharing",
                "3_structured",
                "3_sharing",
                "3_padded",
                "3_functions",
                "3_operators_of_images",
                "3_sentence",
            )
        ],
        {},
    ),
    "pt2": (
        [
            f"torch/{name}.pt2"
            for name in ("plain", "mlp_dynamic", "sums", "two_inputs", "two_outputs", "padded")
        ],
        {},
    ),
    "pth": (["torch/plain.pth", "torch/plain_legacy.pth"], {"layers": "linear:0, relu, linear:2, softmax"}),
    "json": (["iris_4_4_2_1.json"], {}),
    "py": ([], {}),
}
# As AI-ANNE's browser trainer exports it.
PROGRAM = b"""
        X_MINS = [4.9, 2.0]
        X_MAXS = [7.9, 3.8]
        EPS = 1e-9
        x = [(x[i] - X_MINS[i]) / (X_MAXS[i] - X_MINS[i] + EPS) for i in range(2)]
        w1 = [[2.0318,2.1949],
              [-0.5559,0.2666]]
        b1 = [4.0368,-0.2320]
        w2 = [[7.2122,-4.6099]]
        b2 = [-1.4399]
        l_out = dense(2, x, w1, b1, 'leaky_relu')
        l_out = dense(1, l_out, w2, b2, 'sigmoid')
        print(l_out)
"""
MOST_S, MOST_MB, HANG_S = 1.0, 512, 20
SHORT_FILES, LONG_FILES, BATCH = 400, 20_000, 1000


# --- Damaged files ----------------------------------------------------------------------------------------------------

EXTREMES = [b"\0", b"\xff", b"\x7f", b"\x80"]


def bytes_changed(data: bytes, rng: random.Random) -> bytes:
    """Return `data` with one to four places damaged."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(data) + 1), 1 << rng.randrange(9)
        match rng.randrange(8):
            case 0 | 1:
                data[at : at + 1] = rng.randbytes(1)
            case 2:
                data[at : at + 1] = bytes([data[at] ^ 1 << rng.randrange(8)] if at < len(data) else [])
            case 3:
                word = rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 1 << 20, 1 << 28, len(data)])
                data[at : at + 4] = struct.pack(rng.choice("<>") + "I", word)
            case 4:
                data[at : at + length] = rng.choice(EXTREMES) * length
            case 5:
                del data[at : at + length]
            case 6:
                data[at:at] = data[max(0, at - length) : at] * rng.randint(1, 3)
            case 7:
                if rng.randrange(4) == 0:
                    del data[at:]
    return bytes(data)


def json_changed(text: bytes, rng: random.Random) -> bytes:
    """Return JSON with one to three values replaced, taken away or put where others were."""
    document = json.loads(text)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(document))
        if not places:
            break
        container, key = rng.choice(places)
        other, other_key = rng.choice(places)
        values = [None, True, 0, -1, 1.5, 1 << 31, 1 << 70, 1e308, float("nan"), "", "relu", [], {}, [[1]]]
        match rng.randrange(4):
            case 0:
                del container[key]
            case 1:
                container[key] = json.loads(json.dumps(other[other_key]))
            case _:
                container[key] = rng.choice(values)
    return json.dumps(document).encode()


def _places(value):
    """Every (container, key) inside a JSON document."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def zip_changed(data: bytes, rng: random.Random) -> bytes:
    """Return a zip file with one member damaged, and an archive around it that is whole."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    is_json = members[name][:1] in (b"{", b"[") and rng.randrange(3) > 0
    members[name] = (json_changed if is_json else bytes_changed)(members[name], rng)
    if rng.randrange(20) == 0:
        del members[name]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def damaged(suffix: str, seed: int) -> bytes:
    """Return the damaged file of that number."""
    rng = random.Random(f"{suffix} {seed}")
    data = rng.choice(_originals(suffix))
    if data.startswith(b"PK") and rng.randrange(5) > 0:
        return zip_changed(data, rng)
    if suffix == "json" and rng.randrange(2):
        return json_changed(data, rng)
    return bytes_changed(data, rng)


def _originals(suffix: str) -> list[bytes]:
    if suffix not in _cache:
        folder = PROGRAMS if suffix == "json" else GOLDEN
        names = FORMATS[suffix][0]
        _cache[suffix] = [(folder / name).read_bytes() for name in names] or [PROGRAM]
    return _cache[suffix]


_cache: dict[str, list[bytes]] = {}


# --- Through the importers, in a process of their own ----------------------------------------------------------------


def worker(suffix: str, first: int, count: int) -> None:
    """Read damaged files; print {"read", "refused", "slowest_s", "peak_mb"}, or exit with what must not be."""
    from anne_tools.errors import ModelError
    from anne_tools.importers import load

    _dump_by_fork()
    figures = {"read": 0, "refused": 0, "slowest_s": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"damaged.{suffix}")
        for seed in range(first, first + count):
            print(f"# {suffix} {seed}", flush=True)  # the last of these before a crash is the culprit
            path.write_bytes(damaged(suffix, seed))

            def read(path=path):
                signal.alarm(HANG_S)
                load(path, **FORMATS[suffix][1])

            times = []
            while not times or (times[-1] > MOST_S and len(times) < 3):  # again, if others had the processor
                start = cpu_s()
                try:
                    read()
                    outcome = "read"
                except ModelError as error:
                    outcome = "refused"
                    if "\n" in str(error) or isinstance(error.__cause__, MemoryError):
                        sys.exit(f"{suffix} {seed}: {error.__cause__!r}: {error!r}")
                times.append(cpu_s() - start)
            figures[outcome] += 1
            figures["slowest_s"] = max(figures["slowest_s"], min(times))
            if min(times) > MOST_S or peak_mb() > MOST_MB:
                sys.exit(f"{suffix} {seed}: {min(times):.1f} s, {peak_mb():.0f} MB")
    print(json.dumps(figures | {"peak_mb": peak_mb()}))


def cpu_s() -> float:
    """Processor time of this process and of those it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_mb() -> float:
    """The most memory that this process, or one that it has waited for, has ever had.

    Its own ru_maxrss would count that of the process that started it, too: what executes a program takes it over.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    own_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return max(own_kb, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _dump_by_fork() -> None:
    """Let importers/hdf5.py fork this process for hdf5_dump instead of starting Python, which is slow."""
    import h5py  # noqa: F401 - once, for all children
    from anne_tools.importers import hdf5, hdf5_dump

    def run_dump(arguments, data, most_bytes):
        file = tempfile.TemporaryFile
        with file() as stdin, file() as stdout, file() as stderr:
            stdin.write(data)
            stdin.seek(0)
            if (child := os.fork()) == 0:
                _be_hdf5_dump(hdf5_dump, arguments, stdin, stdout, stderr)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            for each in (stdout, stderr):
                each.seek(0)
            return status, stdout.read(most_bytes + 1), stderr.read()

    hdf5.run_dump = run_dump


def _be_hdf5_dump(hdf5_dump, arguments, *files) -> None:
    signal.alarm(HANG_S)
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    status = 0
    try:
        hdf5_dump.main(*arguments)
        sys.stdout.flush()
    except Exception as error:
        os.write(2, f"{type(error).__name__}: {error}".encode(errors="replace"))
        status = 1
    os._exit(status)


# --- The row ----------------------------------------------------------------------------------------------------------


def _batch(job: tuple[str, int, int]) -> dict:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--worker", *map(str, job)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = done.stdout.splitlines()
    if done.returncode:
        raise ReliabilityError(f"{lines[-1:]}: status {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(lines[-1])


def importers(soak: bool) -> Found:
    """Damaged files of every format."""
    files = LONG_FILES if soak else SHORT_FILES
    jobs = [
        (suffix, first, min(BATCH, files - first)) for suffix in FORMATS for first in range(0, files, BATCH)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        batches = list(pool.map(_batch, jobs))
    read, refused = (sum(batch[key] for batch in batches) for key in ("read", "refused"))
    if min(read, refused) < files:
        raise ReliabilityError(f"{read} files read and {refused} refused: too few of either to mean anything")
    slowest = max(batch["slowest_s"] for batch in batches)
    peak = max(batch["peak_mb"] for batch in batches)
    return Found(
        f"{files:,} files each of {', '.join(f'.{suffix}' for suffix in FORMATS)}",
        f"{refused:,} refused in one line, {read:,} read; the slowest took {slowest:.2f} s of processor time, "
        f"the process at most {peak:.0f} MB",
    )


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        worker(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        Path(f"damaged.{sys.argv[1]}").write_bytes(damaged(sys.argv[1], int(sys.argv[2])))
        worker(sys.argv[1], int(sys.argv[2]), 1)
