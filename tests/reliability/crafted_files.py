"""Files made to be costly: a few bytes that ask for more than any network could use. Each is refused by one line of
ModelError or read, within a second of processor time and 512 MB, all under 1 MB.

Each builder makes one file and says in its docstring what it asks for. Mutations (hostile_files.py) do not find these:
they need an author. `anne_tools/importers/budget.py` is what stops them.

    python tests/reliability/crafted_files.py FORMAT [NAME]     reads those of a format, or one, and says what they cost
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import crafted_keras  # noqa: F401 - these put their builders into CRAFTED
import crafted_onnx  # noqa: F401
import crafted_onnx_images  # noqa: F401
import crafted_text  # noqa: F401
import crafted_tflite  # noqa: F401
import crafted_tflite_layers  # noqa: F401
import crafted_torch  # noqa: F401
import crafted_torch_images  # noqa: F401
import hostile_files
from crafted import CRAFTED, MAX_FILE_BYTES
from figures import Found, ReliabilityError
from hostile_files import HANG_S, MOST_MB, MOST_S

# --- The row ----------------------------------------------------------------------------------------------------------


def cost(suffix: str, builder: Callable[[], bytes], folder: str) -> tuple[float, float, str]:
    """Return (processor time in s, memory in MB, what became of it) of one file; ReliabilityError for what must not be.

    A process of its own reads it, a copy of this one, which has the packages; again, if it was slow because others had
    the processor.
    """
    path = Path(folder, f"crafted.{suffix}")
    data = builder()
    if len(data) > MAX_FILE_BYTES:
        raise ReliabilityError(f"{builder.__name__}: {len(data)} bytes, more than the promise is about")
    path.write_bytes(data)
    times = []
    while not times or (times[-1] > MOST_S and len(times) < 3):
        status, used_s, used_mb, outcome = _in_its_own_process(suffix, path)
        times.append(used_s)
    if status or "\n" in outcome or min(times) > MOST_S or used_mb > MOST_MB:
        raise ReliabilityError(
            f"{suffix} {builder.__name__}: status {status}, {min(times):.2f} s, {used_mb:.0f} MB: {outcome[:500]!r}"
        )
    return min(times), used_mb, outcome


def _in_its_own_process(suffix: str, path: Path) -> tuple[int, float, float, str]:
    """Return (exit status, processor time in s, memory in MB, what was told) of a process that reads the file."""
    told, tell = os.pipe()
    if (child := os.fork()) == 0:
        os.close(told)
        _read(suffix, path, tell)
    os.close(tell)
    with os.fdopen(told) as pipe:
        outcome = pipe.read()
    status, used = os.wait4(child, 0)[1:]
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, outcome


def _read(suffix: str, path: Path, tell: int) -> None:
    """The process that reads: tells "read" or the refusal; status 1 for every other exception."""
    from anne_tools.errors import ModelError
    from anne_tools.importers import load

    signal.alarm(HANG_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 0
    try:
        load(path, **hostile_files.FORMATS[suffix][1])
        outcome = "read"
    except ModelError as error:
        outcome = str(error)
        status = int(isinstance(error.__cause__, MemoryError))
    except BaseException as error:
        outcome, status = f"{type(error).__name__}: {error}", 1
    os.write(tell, outcome[:4000].encode(errors="replace"))
    os._exit(status)


def worker(suffix: str, *only: str) -> dict:
    """Return the figures of all files of a format."""
    import importlib

    from anne_tools.importers import IMPORTERS

    hostile_files._dump_by_fork()
    for importer in IMPORTERS:
        importlib.import_module(f"anne_tools.importers.{importer.module}")
    figures = {"files": 0, "refused": 0, "slowest_s": 0.0, "peak_mb": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        for builder in CRAFTED[suffix]:
            if only and builder.__name__ not in only:
                continue
            used_s, used_mb, outcome = cost(suffix, builder, folder)
            if only:
                print(
                    f"{builder.__name__}: {used_s:.2f} s, {used_mb:.0f} MB: {outcome[:200]}", file=sys.stderr
                )
            figures["files"] += 1
            figures["refused"] += outcome != "read"
            figures["slowest_s"] = max(figures["slowest_s"], used_s)
            figures["peak_mb"] = max(figures["peak_mb"], used_mb)
    return figures


def crafted_files(soak: bool) -> Found:
    """The files of every format; the short form is the long one."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

    def figures_of(suffix: str) -> dict:
        command = [sys.executable, __file__, "--worker", suffix]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise ReliabilityError(f"{suffix}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    if missing := set(hostile_files.FORMATS) - set(CRAFTED):
        raise ReliabilityError(f"there are no crafted files of {', '.join(sorted(missing))}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(CRAFTED, pool.map(figures_of, CRAFTED), strict=True))
    each = ", ".join(f"{figures['files']} .{suffix}" for suffix, figures in found.items())
    total, refused = (sum(figures[key] for figures in found.values()) for key in ("files", "refused"))
    slowest, peak = (max(figures[key] for figures in found.values()) for key in ("slowest_s", "peak_mb"))
    return Found(
        f"{total} files: {each}",
        f"{refused} refused in one line, {total - refused} read; the slowest took {slowest:.2f} s of processor time, "
        f"at most {peak:.0f} MB",
    )


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        print(json.dumps(worker(sys.argv[2])))
    else:
        worker(sys.argv[1], *(sys.argv[2:] or [builder.__name__ for builder in CRAFTED[sys.argv[1]]]))
